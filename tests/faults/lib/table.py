"""The table of docs/faults.md."""

HEAD = ("| fault | database | promised | acknowledged | lost | doubled | other answers | longest wait s | recovery s | took s | result |\n"
        "|---|---|---|---:|---:|---:|---|---:|---:|---:|---|")
USUAL = {"200", "201", "204", "412 version_mismatch"}


def row(scenario, database, result):
    others = [f"{count} × {code}" for code, count in sorted(result.answers.items()) if code not in USUAL]
    verdict = "**violated**" if result.faults else f"not run: needs {result.missing}" if result.missing else "holds"
    cells = [
        scenario.name, {"sqlite": "SQLite", "postgres": "PostgreSQL"}[database], scenario.promised,
        f"{result.acknowledged:,}", result.lost, result.doubled, ", ".join(others) or "none", f"{result.longest:.1f}",
        f"{result.recovery:.1f}", f"{result.seconds:.0f}", "; ".join([verdict, *result.notes]),
    ]
    return "| " + " | ".join(map(str, cells)) + " |"
