//! The preloaded library: built once for each run, and given to a server by its environment.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use tallyhook_tests::{environment, home::Home};

/// The errors that disks give.
pub(crate) const NO_SPACE: u16 = 28;
pub(crate) const IO_ERROR: u16 = 5;

/// Which calls are made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// One write.
    Write(u64),
    /// One write is cut short and all later ones fail: the disk is full.
    Full(u64),
    /// One sync.
    Sync(u64),
    /// One sync and all later ones.
    Syncs(u64),
    /// The process ends after so many effects.
    Exit(u64),
}

impl Fault {
    fn order(self) -> String {
        match self {
            Self::Write(number) => format!("write:{number}:{NO_SPACE}"),
            Self::Full(number) => format!("write:{number}+:short"),
            Self::Sync(number) => format!("sync:{number}:{IO_ERROR}"),
            Self::Syncs(number) => format!("sync:{number}+:{IO_ERROR}"),
            Self::Exit(number) => format!("effect:{number}:exit"),
        }
    }
}

/// Where the trace of a home's servers is.
pub(crate) fn trace_path(home: &Home) -> PathBuf {
    home.file("trace")
}

/// What a server's environment needs, so that it is traced and fails as told.
pub(crate) fn variables(home: &Home, fault: Option<Fault>) -> Vec<(&'static str, OsString)> {
    let data = fs::canonicalize(home.path()).unwrap().join("data");
    let mut variables = vec![
        ("LD_PRELOAD", built().into()),
        ("CRASH_DIR", data.into()),
        ("CRASH_TRACE", trace_path(home).into()),
    ];
    variables.extend(fault.map(|fault| ("CRASH_FAULT", fault.order().into())));
    variables
}

/// Builds the library where it is not built yet; tests of other processes may do the same.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/shim.c");
        let folder = environment::workspace().join("target").join("crash");
        fs::create_dir_all(&folder).unwrap();
        let folder = fs::canonicalize(folder).unwrap();
        let made = folder.join(format!("shim-{}.so", std::process::id()));
        let compiler = environment::variable("CC").unwrap_or_else(|| "cc".into());
        let mut command = Command::new(&compiler);
        command.args(["-shared", "-fPIC", "-O2", "-Wall", "-o"]).arg(&made).arg(source);
        let status = command.status().unwrap_or_else(|error| {
            panic!("{} is needed to build shim.c: {error}", compiler.display())
        });
        assert!(status.success(), "shim.c can't be built");
        // A rename, so that no process ever loads half a library.
        let library = folder.join("shim.so");
        fs::rename(made, &library).unwrap();
        library
    })
}

/// How long a file is, 0 where there is none.
pub(crate) fn length(path: &Path) -> u64 {
    match fs::metadata(path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => panic!("{}: {error}", path.display()),
    }
}
