"""What could be said otherwise in a file, by the operators of cosmic-ray."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
import difflib
from pathlib import Path
from typing import Final, override

from cosmic_ray import plugins
from cosmic_ray.mutating import mutate_code

# Of the many ways to replace an operator, the usual two: its neighbour and its
# contrary. More of them say the same of a test.
_PAIRS: Final = {
    "Binary": "Add_Sub Sub_Add Mul_Div Div_Mul FloorDiv_Mul Mod_Add BitAnd_BitOr "
    "BitOr_BitAnd",
    "Comparison": "Eq_NotEq NotEq_Eq Is_IsNot IsNot_Is In_NotIn NotIn_In "
    "Lt_LtE Lt_GtE LtE_Lt LtE_Gt Gt_GtE Gt_LtE GtE_Gt GtE_Lt",
    "Unary": "Delete_Not Delete_USub",
}
_OPERATORS: Final = frozenset(
    {
        f"core/Replace{kind}Operator_{pair}"
        for kind, pairs in _PAIRS.items()
        for pair in pairs.split()
    }
    | {
        "core/AddNot",
        "core/ExceptionReplacer",
        "core/NumberReplacer",
        "core/ReplaceAndWithOr",
        "core/ReplaceBreakWithContinue",
        "core/ReplaceContinueWithBreak",
        "core/ReplaceFalseWithTrue",
        "core/ReplaceOrWithAnd",
        "core/ReplaceTrueWithFalse",
        "core/ZeroIterationForLoop",
    }
)


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A file with one thing changed."""

    path: str
    line: int
    operator: str
    source: str
    diff: str


class _Run(ast.NodeTransformer):
    """Take away what tests cannot tell: annotations, kinds of types, ends of a core."""

    @override
    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.decorator_list = []
        return self.generic_visit(node)

    @override
    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    @override
    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    @override
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    @override
    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    @override
    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        # What still waits when a core ends, it forgets in any case.
        if node.arg == "cancel_on_shutdown":
            node.value = ast.Constant(None)
        return self.generic_visit(node)

    @override
    def visit_TypeAlias(self, node: ast.TypeAlias) -> ast.AST:
        return ast.Pass()

    @override
    def visit_If(self, node: ast.If) -> ast.AST:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return ast.Pass()
        return self.generic_visit(node)


def _what_runs(source: str) -> str | None:
    """Return a text of what of a source is run, or nothing where none of it is."""
    try:
        return ast.dump(_Run().visit(ast.parse(source)))
    except SyntaxError:
        return None


def _changed(before: list[str], after: list[str]) -> int:
    """Return the first line that differs, from 1 on."""
    pairs = enumerate(zip(before, after, strict=False), 1)
    return next((number for number, (old, new) in pairs if old != new), 1)


def mutants(root: Path, path: str) -> Iterator[Mutant]:
    """Yield each mutant of a file that runs, and does not run alike."""
    source = (root / path).read_text(encoding="utf-8")
    lines = source.splitlines(keepends=True)
    known = {_what_runs(source), None}
    for name in sorted(_OPERATORS & set(plugins.operator_names())):
        operator = plugins.get_operator(name)
        for arguments in operator.arguments() or [{}]:
            made = operator(**arguments)
            occurrence = 0
            while (mutated := mutate_code(source, made, occurrence)) is not None:
                occurrence += 1
                if (runs := _what_runs(mutated)) in known:
                    continue
                known.add(runs)
                new = mutated.splitlines(keepends=True)
                yield Mutant(
                    path=path,
                    line=_changed(lines, new),
                    operator=name.partition("/")[2],
                    source=mutated,
                    diff="".join(
                        line
                        for line in difflib.unified_diff(lines, new, n=0)
                        if not line.startswith(("---", "+++", "@@"))
                    ).rstrip(),
                )
