/* From an input back to a form: which function it asks for, and what stands in its fields. */
import { isObject, type Json } from "../../cards/card";
import { argumentsOf } from "../../cards/controls";
import { type Listed, loadFunctions } from "../../cards/load";

/** Return the function of an input, unless the input has more than its form could show. */
export async function listedFor(image: string, input: Json) {
  const isPlain = Object.keys(input).every((key) => ["method", "kwargs", "master"].includes(key));
  if (!isPlain) return null;
  return findListed(await loadFunctions(new AbortController().signal), image, input);
}

/** Return what of a draft comes from an input. */
export function draftParts(hasForm: boolean, input: Json): { values?: Json; raw?: string } {
  if (!hasForm) return { raw: JSON.stringify(input, null, 2) };
  return { values: isObject(input.kwargs) ? input.kwargs : {} };
}

/** Return the function that an input asks for, by the newest card of its image. */
export function findListed(all: Listed[], image: string, input: Json): Listed | null {
  const kind = input.master === true ? "central" : "partial";
  const found = all.find(
    ({ entry, function: one }) =>
      one.kind === kind &&
      one.name === input.method &&
      entry.images.some(({ reference }) => bare(reference) === bare(image)),
  );
  if (!found) return null;
  // A form can show arguments that the card knows, and no others.
  const names = argumentsOf(found.function.arguments).map(({ name }) => name);
  const given = isObject(input.kwargs) ? Object.keys(input.kwargs) : [];
  return given.every((name) => names.includes(name)) ? found : null;
}

/** The name of an image without tag and digest. */
function bare(image: string): string {
  const path = image.split("@")[0] ?? "";
  return path.replace(/:[^/:]*$/, "");
}
