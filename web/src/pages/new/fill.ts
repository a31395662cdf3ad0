/* From an input back to a form: which function it asks for, and what stands in its fields. */
import { isObject, type Json } from "../../cards/card";
import { argumentsOf } from "../../cards/controls";
import { bare, type Listed, loadFunctionsOf } from "../../cards/load";

/** Return the function of an input, unless the input has more than its form could show. */
export async function listedFor(image: string, input: Json, signal: AbortSignal) {
  const isPlain = Object.keys(input).every((key) => ["method", "kwargs", "master"].includes(key));
  if (!isPlain) return null;
  return findListed(await loadFunctionsOf(image, signal), image, input);
}

/** Return what of a draft comes from an input. */
export function draftParts(hasForm: boolean, input: Json): { values?: Json; raw?: string } {
  if (!hasForm) return { raw: JSON.stringify(input, null, 2) };
  return { values: isObject(input.kwargs) ? input.kwargs : {} };
}

/** Return the function that an input asks for: by the card of this very image, else the newest. */
export function findListed(all: Listed[], image: string, input: Json): Listed | null {
  const kind = input.master === true ? "central" : "partial";
  const named = all.filter(
    ({ entry, function: one }) =>
      one.kind === kind &&
      one.name === input.method &&
      entry.images.some(({ reference }) => bare(reference) === bare(image)),
  );
  const found = named.find(({ entry }) => isOfCard(image, entry)) ?? named[0];
  if (!found) return null;
  // A form can show arguments that the card knows, and no others.
  const names = argumentsOf(found.function.arguments).map(({ name }) => name);
  const given = isObject(input.kwargs) ? Object.keys(input.kwargs) : [];
  return given.every((name) => names.includes(name)) ? found : null;
}

/** Tell whether a card describes this very image: by its digest, or its tag where it has none. */
export function isOfCard(image: string, entry: Pick<Listed["entry"], "images">): boolean {
  const [reference, digest] = image.split("@");
  return entry.images.some((one) =>
    digest
      ? one.digest === digest && bare(one.reference) === bare(image)
      : one.reference === reference,
  );
}
