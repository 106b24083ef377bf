use super::*;

#[test]
fn names_of_environment_and_key_files_are_sensitive() {
    for path in [
        ".env",
        ".ENV",
        "app/.env.production",
        ".env.local",
        "deploy/prod.env",
        "deploy/docker.env",
        ".env-prod",
        ".env_staging",
        "deploy/app.env.production",
        ".envrc",
        ".dev.vars.staging",
        "certs/server.PEM",
        "AuthKey_123.p8",
        "home/.aws/credentials",
        "id_rsa",
        "id_ed25519_sk",
        "keys/id_rsa_work",
        "id_ecdsa-github",
        ".npmrc",
        "deploy/prod.tfvars",
        "terraform.tfvars",
        "prod.auto.tfvars.json",
        "terraform.tfstate",
        "credentials.json",
        "credentials.csv",
        ".vault_pass",
        ".vault_pass.txt",
        ".vault-token",
        "client_secret_1234.json",
        "kubeconfig",
        "prod.kubeconfig",
        ".kube/config",
        ".my.cnf",
    ] {
        assert!(is_sensitive(path), "{path}");
    }
}

#[test]
fn copies_of_sensitive_files_are_sensitive() {
    for path in [
        ".env.bak",
        ".env~",
        "#.env#",
        ".env.swp",
        ".env copy",
        ".env (1)",
        "id_rsa.bak",
        "id_rsa.old",
        "id_rsa.bak.2",
        ".id_rsa.swp",
        "credentials.json.bak",
        "credentials.json.orig",
        "prod.tfvars.backup",
        "terraform.tfstate.backup",
        "terraform.tfstate.1700000000.backup",
        "server.key.old",
        "prod.env.2024-01-31",
        ".npmrc.save",
        ".netrc_old",
    ] {
        assert!(is_sensitive(path), "{path}");
    }
}

#[test]
fn templates_public_keys_and_source_code_are_not() {
    for path in [
        "env.rs",
        "src/env.py",
        "environment.ts",
        "environment.yml",
        "webpack.env.js",
        "vite-env.d.ts",
        ".env.example",
        ".env.example.local",
        ".env-sample",
        ".env.production.template",
        "example.env",
        "sample.tfvars",
        "terraform.tfvars.example",
        ".npmrc.dist",
        "src/key.rs",
        "keys.json",
        "docs/credentials",
        "credentials.md",
        "credentials.rs",
        "id_rsa.pub",
        "id_rsa.pub.bak",
        "id_rsa_test.go",
        "server.key.pub",
        "config.json",
        "main.tf",
        "notes.bak",
        "secrets.rs",
        "secrets.py",
        "secrets/value.rs",
        "tokenizer.json",
        "~",
        ".bak",
        "",
    ] {
        assert!(!is_sensitive(path), "{path}");
    }
}
