//! Has npm build the dashboard, which becomes part of the daemon, and tells the linker where the trainer finds
//! libtorch at run time. The daemon is linked without it.

use std::env;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

#[allow(clippy::disallowed_methods, reason = "this is how cargo and the user speak to a build script")]
fn main() {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    if let Err(error) = dashboard() {
        println!("cargo::error=the dashboard's files cannot be prepared: {error}");
        return;
    }
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

/// What the dashboard is made of, in `src/dashboard`.
const DASHBOARD: [&str; 6] =
    ["src", "index.html", "package.json", "package-lock.json", "vite.config.ts", ".npmrc"];

/// What is served where the dashboard could not be built.
const INSTEAD: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>sweepd</title>
<h1>This sweepd was built without its dashboard</h1>
<p>The build needs Node 20.19 or newer and npm, and found none that worked. Install them, then build again:</p>
<pre>touch build.rs &amp;&amp; cargo build --release</pre>
<p>Everything else works: <code>sweepd ls</code>, <code>sweepd best SWEEP</code>, and the API.</p>
</html>
";

/// Leaves the dashboard in `OUT_DIR/dashboard`, or, where npm cannot build it, a page that says so.
#[allow(clippy::disallowed_methods, reason = "this is how cargo speaks to a build script")]
fn dashboard() -> io::Result<()> {
    let sources = Path::new("src/dashboard");
    for part in DASHBOARD {
        println!("cargo::rerun-if-changed={}", sources.join(part).display());
    }
    let Some(out) = env::var_os("OUT_DIR").map(PathBuf::from) else { return Ok(()) };
    let (made, stamp) = (out.join("dashboard"), out.join("dashboard.stamp"));
    let fresh = fingerprint(sources)?.to_string();
    if made.join("index.html").exists() && fs::read_to_string(&stamp).is_ok_and(|kept| kept == fresh) {
        return Ok(());
    }
    if let Err(why) = built_by_npm(sources, &made) {
        println!("cargo::warning=the dashboard is left out: {why}");
        fs::create_dir_all(&made)?;
        fs::write(made.join("index.html"), INSTEAD)?;
        // Without the stamp it is tried again when cargo runs this script again.
        return Ok(());
    }
    fs::write(stamp, fresh)
}

fn built_by_npm(sources: &Path, made: &Path) -> Result<(), String> {
    // Two builds at a time would install into the same folder.
    let lock_file = sources.join("package-lock.json");
    let lock = File::open(&lock_file).map_err(|e| format!("{}: {e}", lock_file.display()))?;
    lock.lock().map_err(|e| format!("{}: {e}", lock_file.display()))?;
    let installed = sources.join("node_modules/.package-lock.json");
    let when = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
    if when(&installed) < when(&lock_file) {
        npm(sources, &["ci", "--no-audit", "--no-fund"])?;
    }
    let made = made.to_str().ok_or("the build folder's name is not UTF-8")?;
    npm(
        sources,
        &["run", "--silent", "build", "--", "--outDir", made, "--emptyOutDir", "--logLevel", "error"],
    )
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let what = format!("npm {}", arguments.first().unwrap_or(&""));
    let ran = Command::new("npm").args(arguments).current_dir(folder).output();
    let output = ran.map_err(|e| format!("{what}: {e} (Node 20.19 or newer and npm are needed)"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
    Err(format!("{what} failed: {first}"))
}

/// A number that changes with any of the dashboard's files: cargo also runs this script for other reasons.
fn fingerprint(sources: &Path) -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    for part in DASHBOARD {
        digest(&sources.join(part), &mut hasher)?;
    }
    Ok(hasher.finish())
}

fn digest(path: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    if !path.is_dir() {
        path.hash(hasher);
        fs::read(path)?.hash(hasher);
        return Ok(());
    }
    let mut entries = fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::path);
    entries.iter().try_for_each(|entry| digest(&entry.path(), hasher))
}
