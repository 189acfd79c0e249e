//! Tells the linker where the trainer finds libtorch at run time. The daemon is linked without it.

use std::env;
use std::path::{Path, PathBuf};

#[allow(clippy::disallowed_methods, reason = "this is how cargo and the user speak to a build script")]
fn main() {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    if env::var_os("CARGO_FEATURE_TORCH").is_none() {
        return;
    }
    let Some(libtorch) = env::var_os("LIBTORCH").map(PathBuf::from) else {
        println!("cargo::error=LIBTORCH is not set: run `make setup`, or build with --no-default-features");
        return;
    };
    if !libtorch.join("lib/libtorch_cpu.so").exists() {
        let place = libtorch.display();
        println!(
            "cargo::error=there is no libtorch in {place}: run `make setup`, or build with --no-default-features"
        );
        return;
    }
    run_path(&libtorch.join("lib"));
    #[cfg(feature = "torch")]
    beside_tch(&libtorch);
    // The GPU libraries lie apart, so that nothing is linked with them: the trainer loads them when asked.
    if let Some(beside) = libtorch.parent() {
        run_path(&beside.join("torch-cuda/lib"));
    }
}

/// Compiles the trainer's C++ and links it into the trainer alone: the library, and with it the daemon, stay
/// without libtorch.
#[cfg(feature = "torch")]
fn beside_tch(libtorch: &Path) {
    const SOURCES: [&str; 2] = ["src/bin/sweepd-worker/memory.cpp", "src/bin/sweepd-worker/shim.cpp"];
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    let objects = cc::Build::new()
        .cpp(true)
        .pic(true)
        .std("c++17")
        .include(libtorch.join("include"))
        .warnings(false)
        .cargo_metadata(false)
        .opt_level(2)
        .files(SOURCES)
        .compile_intermediates();
    for object in objects {
        println!("cargo::rustc-link-arg-bin=sweepd-worker={}", object.display());
    }
}

fn run_path(folder: &Path) {
    // Libraries that only libtorch itself needs are found through it.
    println!("cargo::rustc-link-arg-bin=sweepd-worker=-Wl,-rpath,{}", folder.display());
}
