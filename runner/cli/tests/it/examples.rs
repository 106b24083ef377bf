//! The example jobs in `configs`.

use crate::config::{SERVER_SETTINGS, configs, job_files, load_file, set};

#[test]
fn every_example_is_a_valid_job() {
    let files = job_files(&configs());
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "arrow-tap",
        "git",
        "http",
        "minilm",
        "parallel",
        "pipeline",
        "quickstart",
        "refs",
        "sequential",
        "two-embedders",
        "views",
    ];
    assert_eq!(names, expected);
    for (name, path) in files {
        let job = match load_file(&path, &[]) {
            Ok(job) => job,
            // Its model is not part of the repository.
            Err(errors) if name == "minilm" && errors.to_string().contains("with `./dev models`") => continue,
            Err(errors) => panic!("{name}: {errors}"),
        };
        assert_eq!(job.name, name);
        assert!(job.source.excluded_folders.contains(&job.index), "{name}");
    }
}

#[test]
fn the_server_example_is_valid() {
    let settings = gristmill_server::Settings::load(&configs().join(SERVER_SETTINGS).with_extension("toml")).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:7878");
    let named = settings.limits;
    let default = gristmill_server::Limits { max_calls: named.max_calls, ..Default::default() };
    assert_eq!(named, default, "the file says that these are the defaults");
    for tenant in settings.tenants {
        assert!(tenant.token(|_| Some("x".repeat(32))).is_ok(), "{}", tenant.name);
        for job in tenant.jobs {
            assert!(load_file(&job, &[]).is_ok(), "{}", job.display());
        }
    }
}

#[test]
fn the_template_of_init_is_the_default_job() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gristmill.toml");
    std::fs::write(&file, gristmill::commands::init::TEMPLATE).unwrap();
    let job = load_file(&file, &[]).unwrap();
    std::fs::write(&file, "").unwrap();
    let default = load_file(&file, &[]).unwrap();
    assert_eq!((job.source, job.index, job.mode), (default.source, default.index, default.mode));
}

#[test]
fn the_commented_keys_of_init_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gristmill.toml");
    let key = |line: &str| line.starts_with("# ") && line.contains(" = ");
    let lines = gristmill::commands::init::TEMPLATE.lines().map(|line| if key(line) { &line[2..] } else { line });
    let text: Vec<&str> = lines.take_while(|line| !line.starts_with("# Without stages")).collect();
    std::fs::write(&file, text.join("\n")).unwrap();
    let job = load_file(&file, &[set("source.exclude=[]")]).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(job.source.include, ["**/*.rs"]);
}

#[test]
fn two_embedders_fan_out_to_two_tables() {
    let job = load_file(&configs().join("two-embedders.toml"), &[]).unwrap();
    let dimensions: Vec<usize> = job.graph.embed_lanes().iter().map(|lane| lane.dimension).collect();
    assert_eq!(dimensions, [256, 64]);
    assert_eq!(job.graph.sinks().len(), 3);
}
