# embed.cmake: FILES as constants in C, for `cmake -DOUT=... -DFILES=a;b -P`. report.css becomes
# asset_report_css.
set(text "/* Made by embed.cmake. */\n")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  string(REPLACE "." "_" name ${name})
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND text "static const char asset_${name}[] = {${bytes}0};\n")
endforeach()
file(WRITE ${OUT} "${text}")
