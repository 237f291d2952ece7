"""The budgets, and how figures are held against them."""
# A figure may be this much over its budget; one that is this much below asks for a lower budget. Two runs of one build
# differ by less: README.md has the figures.
TOLERANCE = 0.03
HEAD = "operation\tinstructions\traised because"


class Budgets:
    def __init__(self, path):
        self.path = path
        lines = path.read_text().splitlines()[1:] if path.exists() else []
        rows = [(line + "\t\t").split("\t") for line in lines]
        self.rows = {operation: (int(budget), why) for operation, budget, why, *_ in rows}

    def judge(self, rounds_by_operation, lower, raises):
        """Prints a table, and changes the budgets as asked. Returns whether all figures are within their budgets."""
        if unknown := raises.keys() - rounds_by_operation.keys():
            raise SystemExit(f"there is no operation {unknown.pop()}; there are {', '.join(rounds_by_operation)}")
        accepted = True
        kept = {}
        print(f"{'operation':18} {'instructions':>12} {'spread':>7} {'budget':>9}")
        for operation, rounds in rounds_by_operation.items():
            # Work in the background, and threads that meet in an unusual order, only add instructions.
            figure = min(rounds)
            budget, why = self.rows.get(operation, (None, ""))
            kept[operation] = self.rows.get(operation)
            verdict = ""
            if budget is None:
                verdict = "added" if lower else "HAS NO BUDGET: run again with --lower"
                accepted = accepted and lower
                budget = figure
            elif figure > budget and operation in raises:
                verdict, why = "raised", raises[operation]
            elif figure > budget * (1 + TOLERANCE):
                accepted = False
                verdict = f"OVER BUDGET by {figure / budget - 1:.1%}"
            elif figure < budget and lower:
                verdict, why = "lowered", ""
            elif figure < budget * (1 - TOLERANCE):
                verdict = f"below by {1 - figure / budget:.1%}: run again with --lower, and commit budgets.tsv"
            if verdict in ("added", "raised", "lowered"):
                kept[operation] = (figure, why)
            spread = (max(rounds) - min(rounds)) / figure
            print(f"{operation:18} {figure:12,} {spread:7.1%} {budget:9,}  {verdict}".rstrip())
        if gone := self.rows.keys() - kept.keys():
            accepted = accepted and lower
            print(f"no longer measured: {', '.join(gone)}" + ("" if lower else "; run again with --lower"))
        if not accepted:
            print("\nA budget may only shrink. Find what costs more; where it must, raise the budget with\n"
                  "--raise OPERATION=REASON, and commit budgets.tsv.")
        self.rows = kept
        return accepted

    def save(self):
        rows = [(operation, *row) for operation, row in self.rows.items() if row]
        lines = [HEAD, *("\t".join([operation, str(budget), why]).rstrip() for operation, budget, why in rows)]
        self.path.write_text("\n".join(lines) + "\n")
