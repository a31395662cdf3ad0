import { plain } from "../ui/plain";

/** A text of a card; what stands between backticks is shown as code. */
export function Described({ text }: { text: string }) {
  const parts = plain(text).split(/`+([^`]+)`+/);
  return <>{parts.map((part, at) => (at % 2 ? <code key={at}>{part}</code> : part))}</>;
}

/** The paragraphs of a description, which is Markdown. */
export function Paragraphs({ text }: { text: string }) {
  return (
    <>
      {text.split(/\n\s*\n/).map((each, at) => (
        <p key={at}>
          <Described text={each.replace(/\s+/g, " ").trim()} />
        </p>
      ))}
    </>
  );
}
