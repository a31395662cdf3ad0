/*
 * A live check of formulas in Wilkinson notation, such as `died ~ age + arm * stage`. It knows the
 * grammar of the statistics (algorithms/statistics/models/grammar.py); the function that gets the
 * formula has the last word.
 */
const FUNCTIONS = new Set(["log", "log2", "log10", "log1p", "exp", "sqrt", "abs", "I", "C"]);
const LONGEST = 2000;
const TOKEN =
  /\s+|`([^`]+)`|([\p{L}_][\p{L}\p{N}_.]*)|(\d+\.?\d*(?:[eE][+-]?\d+)?)|(\*\*|<=|>=|[-+*/:~()<>,^])|("[^"]*"|'[^']*')/uy;

export type FormulaProblem =
  | "empty"
  | "long"
  | "sign"
  | "outcome_missing"
  | "outcome_unwanted"
  | "outcome_many"
  | "brackets"
  | "function"
  | "surv"
  | "operand"
  | "operator";

export interface FormulaCheck {
  /** Columns that the formula reads, in order. */
  columns: string[];
  problem: FormulaProblem | null;
  /** The part of the formula that the problem is about. */
  part: string;
}

interface Token {
  kind: "name" | "number" | "operator" | "text";
  text: string;
}

/** Check a formula; `hasOutcome` says whether it has the form `outcome ~ terms`, null: either. */
export function checkFormula(formula: string, hasOutcome: boolean | null): FormulaCheck {
  const columns: string[] = [];
  const found = (problem: FormulaProblem | null, part = "") => ({
    columns: [...new Set(columns)],
    problem,
    part,
  });
  if (!formula.trim()) return found("empty");
  if (formula.length > LONGEST) return found("long");
  const tokens = tokenize(formula);
  if (typeof tokens === "string") return found("sign", tokens);
  for (const [at, { kind, text }] of tokens.entries())
    if (kind === "name" && tokens[at + 1]?.text !== "(" && !isContrast(tokens, at))
      columns.push(text);
  const tildes = tokens.filter(({ text }) => text === "~").length;
  if (tildes > 1) return found("outcome_many");
  if (hasOutcome === true && tildes === 0) return found("outcome_missing");
  if (hasOutcome === false && tildes === 1) return found("outcome_unwanted");
  return checkOrder(tokens, found);
}

function tokenize(formula: string): Token[] | string {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < formula.length) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(formula);
    if (!match) return formula.charAt(start);
    const [, quoted, name, number, operator, text] = match;
    if (quoted ?? name) tokens.push({ kind: "name", text: quoted ?? name ?? "" });
    else if (number) tokens.push({ kind: "number", text: number });
    else if (operator) tokens.push({ kind: "operator", text: operator });
    else if (text) tokens.push({ kind: "text", text });
  }
  return tokens;
}

/** The second argument of `C(stage, contr.sum)` is no column. */
function isContrast(tokens: Token[], at: number): boolean {
  return tokens[at - 1]?.text === "," && /^contr\.\w+$/.test(tokens[at]?.text ?? "");
}

/** Go through the tokens: an operand is wanted at first and after each operator. */
function checkOrder(
  tokens: Token[],
  found: (problem: FormulaProblem | null, part?: string) => FormulaCheck,
): FormulaCheck {
  let depth = 0;
  let isOperandWanted = true;
  for (const [at, { kind, text }] of tokens.entries()) {
    const next = tokens[at + 1]?.text;
    if (text === "(") {
      if (!isOperandWanted) return found("operator", text);
      depth += 1;
    } else if (text === ")") {
      depth -= 1;
      if (depth < 0) return found("brackets");
      if (isOperandWanted) return found("operand", text);
    } else if (kind === "operator") {
      const isSign = text === "-" || text === "+" || (text === "~" && at === 0);
      if (isOperandWanted && !isSign) return found("operand", text);
      if (text === "~" && depth > 0) return found("brackets");
      isOperandWanted = true;
    } else {
      if (!isOperandWanted) return found("operator", text);
      const isCall = kind === "name" && next === "(";
      if (isCall && text === "Surv") return found("surv");
      if (isCall && !FUNCTIONS.has(text) && !text.startsWith("contr."))
        return found("function", text);
      isOperandWanted = isCall;
    }
  }
  if (depth) return found("brackets");
  return found(isOperandWanted ? "operand" : null, tokens.at(-1)?.text);
}
