import { useId } from "preact/hooks";
import { type Key, t } from "../language";
import { plainLine } from "../ui/plain";
import { isObject } from "./card";
import type { Argument, Draft } from "./controls";
import { Described } from "./Described";
import { checkFormula } from "./formula";
import { typesOf } from "./schema";

export interface Member {
  id: number;
  name: string;
}

interface Props {
  argument: Argument;
  draft: Draft | undefined;
  change: (draft: Draft) => void;
  error?: string | undefined;
  members: Member[];
  /** Names of columns that were typed in this form already. */
  columns: string[];
  /** Whether a formula names its outcome; null: the card does not say. */
  hasOutcome: boolean | null;
}

/** The label, the control and the help of one argument. */
export function Control(props: Props) {
  const { argument, error } = props;
  const id = useId();
  const described = `${id}-hint${error ? ` ${id}-error` : ""}`;
  const shared = {
    id,
    name: argument.name,
    "aria-describedby": described,
    "aria-invalid": error ? ("true" as const) : undefined,
  };
  if (argument.control === "organizations") return <Organizations {...props} />;
  return (
    <div class="field">
      <label for={id}>
        {plainLine(argument.title)}
        {!argument.isRequired && <span class="optional"> {t("new.optional")}</span>}
      </label>
      <small id={`${id}-hint`} class="hint">
        <Described text={argument.description} /> {hintOf(argument)}
      </small>
      <Input {...props} shared={shared} />
      {argument.control === "formula" && <FormulaState {...props} />}
      {error && (
        <small id={`${id}-error`} class="error">
          {error}
        </small>
      )}
    </div>
  );
}

function Input({ argument, draft, change, columns, shared }: Props & { shared: object }) {
  const text = typeof draft === "string" ? draft : "";
  const set = (event: { currentTarget: { value: string } }) => change(event.currentTarget.value);
  switch (argument.control) {
    case "flag":
      return (
        <input
          {...shared}
          type="checkbox"
          checked={draft === true}
          onChange={(event) => change(event.currentTarget.checked)}
        />
      );
    case "choice":
      return (
        <select {...shared} value={text} onChange={set}>
          {text === "" && <option value="">{t("new.choose")}</option>}
          {choicesOf(argument).map((value) => (
            <option key={JSON.stringify(value)} value={JSON.stringify(value)}>
              {value === null ? t("new.none") : plainLine(String(value))}
            </option>
          ))}
        </select>
      );
    case "json":
      return <textarea {...shared} rows={3} spellcheck={false} value={text} onInput={set} />;
    case "column":
      return (
        <>
          <input
            {...shared}
            list={`${argument.name}-columns`}
            value={text}
            onInput={set}
            {...PLAIN}
          />
          <datalist id={`${argument.name}-columns`}>
            {columns.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </>
      );
    case "number":
      return <input {...shared} inputMode="decimal" value={text} onInput={set} {...PLAIN} />;
    default:
      return <input {...shared} value={text} onInput={set} {...PLAIN} />;
  }
}

/** Names of columns are no words of a language. */
const PLAIN = { spellcheck: false, autocomplete: "off", autocapitalize: "off" } as const;

function choicesOf({ schema }: Argument): unknown[] {
  return Array.isArray(schema.enum) ? schema.enum : [];
}

function hintOf({ control, schema, standard }: Argument): string {
  const hints: string[] = [];
  if (control === "columns" || control === "texts" || control === "numbers")
    hints.push(t("new.list"));
  if (control === "json") hints.push(t("new.json"));
  const types = Array.isArray(schema["x-types"]) ? schema["x-types"] : [];
  if (types.length) hints.push(t("new.types", { types: types.map(wordOfType).join(", ") }));
  const isText = typeof standard === "string" || typeof standard === "number";
  if (isText && control !== "choice") hints.push(t("new.standard", { value: standard }));
  return hints.join(" ");
}

function wordOfType(type: unknown): string {
  const keys: Record<string, Key> = {
    numeric: "new.type.numeric",
    categorical: "new.type.categorical",
    time: "new.type.time",
    boolean: "new.type.boolean",
  };
  const key = typeof type === "string" ? keys[type] : undefined;
  return key ? t(key) : String(type);
}

/** The columns that a formula reads, while it is typed; what is wrong with it is its error. */
function FormulaState({ draft, hasOutcome }: Props) {
  const text = typeof draft === "string" ? draft : "";
  const { problem, columns } = checkFormula(text, hasOutcome);
  return (
    <small role="status" class="hint">
      {!problem && t("formula.columns", { columns: columns.map(plainLine).join(", ") })}
    </small>
  );
}

function Organizations({ argument, draft, change, members, error }: Props) {
  const chosen = Array.isArray(draft) ? draft : [];
  const isNullable = typesOf(argument.schema).includes("null") || !argument.isRequired;
  const toggle = (id: number) =>
    change(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id]);
  return (
    <fieldset class="field">
      <legend>{plainLine(argument.title)}</legend>
      <small class="hint">
        <Described text={argument.description} /> {isNullable && t("new.all_organizations")}
      </small>
      {members.map(({ id, name }) => (
        <label key={id} class="tickbox">
          <input type="checkbox" checked={chosen.includes(id)} onChange={() => toggle(id)} />
          {plainLine(name)}
        </label>
      ))}
      {error && <small class="error">{error}</small>}
    </fieldset>
  );
}

/** Whether a formula of this function names its outcome: not where arguments of their own do. */
export function hasOutcomeOf(schema: unknown): boolean | null {
  const names =
    isObject(schema) && isObject(schema.properties) ? Object.keys(schema.properties) : [];
  return !(names.includes("time") && names.includes("event"));
}
