// SPDX-License-Identifier: MIT

//! Tells the program which versions it is linked with: those of the lock file that cargo has just
//! made, and the compiler's.

use std::{env, fs, process::Command};

fn main() {
    let folder = env::var("CARGO_MANIFEST_DIR").unwrap();
    let lock = fs::read_to_string(folder + "/Cargo.lock").unwrap_or_default();
    for name in ["tokio", "crossbeam-channel", "flume", "kanal", "async-channel"] {
        let head = format!("name = \"{name}\"\nversion = \"");
        let version = lock.split(head.as_str()).nth(1).and_then(|rest| rest.split('"').next());
        if name == "tokio" {
            // broadcast::Receiver has had blocking_recv since 1.28.
            println!("cargo:rustc-check-cfg=cfg(broadcast_blocks)");
            let minor = version.and_then(|v| v.split('.').nth(1)).and_then(|v| v.parse().ok()).unwrap_or(0);
            if minor >= 28 {
                println!("cargo:rustc-cfg=broadcast_blocks");
            }
        }
        let variable = name.to_uppercase().replace('-', "_");
        println!("cargo:rustc-env=VERSION_{variable}={}", version.unwrap_or("unknown"));
    }
    let rustc = Command::new(env::var("RUSTC").unwrap()).arg("--version").output().unwrap();
    let text = String::from_utf8_lossy(&rustc.stdout).into_owned();
    println!("cargo:rustc-env=VERSION_STD={}", text.split(' ').nth(1).unwrap_or("unknown"));
    // Set where Debian's librust-*-dev packages stand in for the registry.
    let origin = env::var("DRIVER_ORIGIN").unwrap_or_else(|_| "crate".into());
    println!("cargo:rustc-env=DRIVER_ORIGIN={origin}");
    println!("cargo:rerun-if-env-changed=DRIVER_ORIGIN");
    println!("cargo:rerun-if-changed=Cargo.lock");
}
