import type { Rule, Scope } from "../../api/rights";
import { t } from "../../language";
import { plainLine } from "../../ui/plain";

const SCOPES: readonly Scope[] = ["OWN", "ORGANIZATION", "COLLABORATION", "GLOBAL"];

interface Props {
  caption: string;
  rules: readonly Rule[];
  chosen: ReadonlySet<number>;
  /** Whether a rule may be given and taken; without `change` the matrix is for reading. */
  isOpen: (rule: Rule) => boolean;
  change?: ((chosen: ReadonlySet<number>) => void) | undefined;
}

/** All rules of the server: a group for each kind of objects, a line for each operation. */
export function RuleMatrix({ caption, rules, chosen, isOpen, change }: Props) {
  const names = [...new Set(rules.map(({ name }) => name))];

  function toggle(rule: Rule): void {
    const next = new Set(chosen);
    if (!next.delete(rule.id)) next.add(rule.id);
    change?.(next);
  }

  return (
    <table class="matrix">
      <caption>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">{t("admin.role.operation")}</th>
          {SCOPES.map((scope) => (
            <th key={scope} scope="col" class="scope">
              {t(`admin.scope.${scope}`)}
            </th>
          ))}
        </tr>
      </thead>
      {names.map((name) => (
        <Group
          key={name}
          name={name}
          rules={rules.filter((rule) => rule.name === name)}
          chosen={chosen}
          isOpen={(rule) => change !== undefined && isOpen(rule)}
          toggle={toggle}
          isReading={change === undefined}
        />
      ))}
    </table>
  );
}

interface GroupProps {
  name: string;
  rules: Rule[];
  chosen: ReadonlySet<number>;
  isOpen: (rule: Rule) => boolean;
  toggle: (rule: Rule) => void;
  isReading: boolean;
}

function Group({ name, rules, chosen, isOpen, toggle, isReading }: GroupProps) {
  const operations = (["VIEW", "CREATE", "EDIT", "DELETE"] as const).filter((operation) =>
    rules.some((rule) => rule.operation === operation),
  );
  return (
    <tbody>
      <tr>
        <th scope="rowgroup" colSpan={5} class="kind">
          {plainLine(name)}
        </th>
      </tr>
      {operations.map((operation) => (
        <tr key={operation}>
          <th scope="row">{t(`admin.operation.${operation}`)}</th>
          {SCOPES.map((scope) => {
            const rule = rules.find((one) => one.operation === operation && one.scope === scope);
            return (
              <td key={scope}>
                {rule && (
                  <Cell
                    rule={rule}
                    isOn={chosen.has(rule.id)}
                    isOpen={isOpen(rule)}
                    isReading={isReading}
                    toggle={() => toggle(rule)}
                  />
                )}
              </td>
            );
          })}
        </tr>
      ))}
    </tbody>
  );
}

interface CellProps {
  rule: Rule;
  isOn: boolean;
  isOpen: boolean;
  isReading: boolean;
  toggle: () => void;
}

function Cell({ rule, isOn, isOpen, isReading, toggle }: CellProps) {
  const text = plainLine(rule.description);
  if (isReading)
    return (
      <span class={isOn ? "mark on" : "mark"}>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d={isOn ? "m6.2 12.6-4-4 1.5-1.5 2.5 2.5 6.1-6.1 1.5 1.5z" : "M5 7.5h6v1H5z"} />
        </svg>
        <span class="hidden">{t(isOn ? "admin.role.yes" : "admin.role.no", { text })}</span>
      </span>
    );
  return (
    <input
      type="checkbox"
      aria-label={text}
      title={text}
      checked={isOn}
      disabled={!isOpen}
      onChange={toggle}
    />
  );
}

/** The chosen rules as sentences. */
export function RuleSentences({ rules, chosen }: Pick<Props, "rules" | "chosen">) {
  const held = rules.filter(({ id }) => chosen.has(id));
  return (
    <details>
      <summary>{t("admin.role.sentences", { count: held.length })}</summary>
      <ul>
        {held.map((rule) => (
          <li key={rule.id}>{plainLine(rule.description)}</li>
        ))}
      </ul>
    </details>
  );
}
