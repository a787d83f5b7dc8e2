module chanbench/driver

go 1.19
