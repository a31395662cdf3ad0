import { effect, signal } from "@preact/signals";
import { settings } from "./settings";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

/** Whether the last request reached the server. */
export const isConnected = signal(true);

/** No answer came: the server or the network is down. */
export class Lost extends Error {
  constructor() {
    super("The server does not answer.");
  }
}

/** Send a request, and note whether the server is there. */
export async function reach(request: Request): Promise<Response> {
  try {
    const answer = await fetch(request);
    isConnected.value = true;
    return answer;
  } catch (error) {
    if (request.signal.aborted) throw error;
    isConnected.value = false;
    throw new Lost();
  }
}

/** Ask the server again and again while it does not answer; pages load by themselves afterwards. */
export function healConnection(): void {
  let timer: number | undefined;

  function ask(wait: number): void {
    timer = window.setTimeout(async () => {
      const request = new Request(`${settings.apiPath}/health`, { cache: "no-store" });
      await reach(request).catch(() => null);
      timer = undefined;
      if (!isConnected.peek()) ask(Math.min(2 * wait, LONGEST_WAIT_MS));
    }, wait);
  }

  effect(() => {
    if (!isConnected.value && timer === undefined) ask(FIRST_WAIT_MS);
  });
  addEventListener("online", () => {
    if (isConnected.peek() || timer === undefined) return;
    window.clearTimeout(timer);
    ask(FIRST_WAIT_MS);
  });
}
