use crate::testing::check_imports;

const FILES: &[&str] = &[
    "app/src/main/java/com/mill/Mill.java",
    "app/src/main/java/com/mill/parts/Wheel.java",
    "app/src/main/java/com/mill/parts/Stone.java",
    "app/src/main/kotlin/com/mill/Tools.kt",
];

#[test]
fn imports_of_java() {
    check_imports(
        FILES,
        "app/src/main/java/com/mill/Mill.java",
        "import com.mill.parts.Wheel;\nimport com.mill.parts.*;\nimport com.mill.parts.Wheel.Spoke;\nimport static com.mill.parts.Wheel.*;\nimport java.util.List;\nclass A {}",
        &[
            ("com.mill.parts Wheel", &["app/src/main/java/com/mill/parts/Wheel.java"]),
            (
                "com.mill.parts *",
                &["app/src/main/java/com/mill/parts/Wheel.java", "app/src/main/java/com/mill/parts/Stone.java"],
            ),
            ("com.mill.parts.Wheel Spoke", &["app/src/main/java/com/mill/parts/Wheel.java"]),
            ("com.mill.parts.Wheel *", &["app/src/main/java/com/mill/parts/Wheel.java"]),
            ("java.util List", &[]),
        ],
    );
}

#[test]
fn imports_of_kotlin() {
    check_imports(
        FILES,
        "app/src/main/kotlin/com/mill/Main.kt",
        "import com.mill.parts.Wheel\nimport com.mill.weigh\n",
        &[
            ("com.mill.parts Wheel", &["app/src/main/java/com/mill/parts/Wheel.java"]),
            ("com.mill weigh", &["app/src/main/java/com/mill/Mill.java", "app/src/main/kotlin/com/mill/Tools.kt"]),
        ],
    );
}

#[test]
fn imports_of_scala() {
    check_imports(
        FILES,
        "A.scala",
        "import com.mill.parts.{Wheel, Stone => S, _}\n",
        &[
            ("com.mill.parts Wheel", &["app/src/main/java/com/mill/parts/Wheel.java"]),
            ("com.mill.parts Stone", &["app/src/main/java/com/mill/parts/Stone.java"]),
            (
                "com.mill.parts *",
                &["app/src/main/java/com/mill/parts/Wheel.java", "app/src/main/java/com/mill/parts/Stone.java"],
            ),
        ],
    );
}
