// @vitest-environment node
import {
  constants,
  createCipheriv,
  createPublicKey,
  generateKeyPairSync,
  privateDecrypt,
} from "node:crypto";
import { expect, test, vi } from "vitest";
import { fromBase64, isBase64, toBase64 } from "../src/crypto/base64";
import { fingerprint } from "../src/crypto/fingerprint";
import { open, seal } from "../src/crypto/messages";
import { encryptFor, readPrivateKey, readPublicKey } from "../src/crypto/rsa";

const pair = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
const stored = Buffer.from(pair.publicKey).toString("base64");
const own = readPrivateKey(pair.privateKey);
const receiver = readPublicKey(stored);
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));
const text = (found: Uint8Array) => Buffer.from(found).toString("latin1");

/** Write a message as OpenSSL does, whose counter has all 128 bits. */
function write(counter: Buffer, data: Uint8Array, key = Buffer.alloc(32, 7)): string {
  const cipher = createCipheriv("aes-256-ctr", key, counter);
  const sealed = Buffer.concat([cipher.update(data), cipher.final()]);
  return [Buffer.from(encryptFor(receiver, key)), counter, sealed]
    .map((part) => part.toString("base64"))
    .join("$");
}

test.each([
  ["32 bits", "fffffffe"],
  ["64 bits", "fffffffffffffffe"],
  ["128 bits", "fffffffffffffffffffffffffffffffe"],
])("a counter that wraps at %s is read as OpenSSL writes it", async (_, counter) => {
  const data = new Uint8Array(200).map((_, at) => at);
  const start = Buffer.from(counter.padStart(32, "0"), "hex");
  expect(await open(write(start, data), own)).toEqual(data);
});

test("what is written from a counter that wraps is read by OpenSSL", async () => {
  const start = Buffer.from("00000000fffffffffffffffffffffffe", "hex");
  const spy = vi.spyOn(crypto, "getRandomValues").mockImplementation((array) => {
    const drawn = array as Uint8Array;
    if (drawn.length === start.length) drawn.set(start);
    else drawn.fill(7);
    return array;
  });
  const data = new Uint8Array(200).map((_, at) => at);
  const message = await seal(data, receiver);
  spy.mockRestore();
  expect(message.split("$").slice(1)).toEqual(write(start, data).split("$").slice(1));
});

test.each([0, 1, 15, 16, 17, 100_000])("a message of %i bytes comes back", async (size) => {
  const data = new Uint8Array(size).map((_, at) => (at * 31) % 251);
  const message = await seal(data, receiver);
  expect(message.split("$").map((part) => fromBase64(part).length)).toEqual([256, 16, size]);
  expect(await open(message, own)).toEqual(data);
});

test("padding takes its random bytes from the browser", () => {
  const spy = vi.spyOn(crypto, "getRandomValues");
  const message = encryptFor(receiver, new Uint8Array(32));
  expect(spy).toHaveBeenCalled();
  const drawn = Buffer.concat(spy.mock.calls.map(([array]) => Buffer.from(array as Uint8Array)));
  spy.mockRestore();
  const padded = privateDecrypt(
    { key: pair.privateKey, padding: constants.RSA_NO_PADDING },
    message,
  );
  // 00 02, bytes that are not zero, 00, the AES key: each of them was drawn.
  const padding = padded.subarray(2, 256 - 33);
  expect(padding.includes(0)).toBe(false);
  const unused = new Map<number, number>();
  for (const byte of drawn) unused.set(byte, (unused.get(byte) ?? 0) + 1);
  for (const byte of padding) {
    expect(unused.get(byte) ?? 0).toBeGreaterThan(0);
    unused.set(byte, (unused.get(byte) ?? 0) - 1);
  }
});

test("the second base64 of the older web page is taken off, wherever it stands", async () => {
  const payload = bytes('json.{"method": "average"}');
  const twice = bytes(toBase64(payload));
  const counter = Buffer.alloc(16, 1);
  const [key, iv, data] = write(counter, twice).split("$");
  const outer = [toBase64(bytes(key ?? "")), iv, data].join("$");
  const keyText = Buffer.from(Buffer.alloc(32, 7).toString("base64"));
  const inner = [toBase64(encryptFor(receiver, keyText)), iv, data].join("$");
  for (const message of [write(counter, twice), outer, inner])
    expect(text(await open(message, own))).toBe('json.{"method": "average"}');
});

test("what only looks like base64 stays as it is", async () => {
  for (const plain of ["abcd", "json.abcd", "1234", ""])
    expect(text(await open(await seal(bytes(plain), receiver), own))).toBe(plain);
});

test("what is no message, or for another key, is refused by its code", async () => {
  const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const stranger = readPrivateKey(other.export({ type: "pkcs8", format: "pem" }).toString());
  const message = await seal(bytes("json.1"), receiver);
  await expect(open(message, stranger)).rejects.toMatchObject({ code: "another_key" });
  await expect(open("a$b", own)).rejects.toMatchObject({ code: "not_a_message" });
  await expect(open(`${message}$`, own)).rejects.toMatchObject({ code: "not_a_message" });
  await expect(open(message.slice(0, -1), own)).rejects.toMatchObject({ code: "damaged" });
});

test("keys that nothing can be done with are refused by their code", () => {
  const refused = (read: () => unknown) => {
    try {
      read();
    } catch (error) {
      return (error as { code: string }).code;
    }
    return "read";
  };
  const locked = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" },
    publicKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  const short = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const shortPem = short.privateKey.export({ type: "pkcs1", format: "pem" }).toString();
  expect(refused(() => readPrivateKey(locked.privateKey))).toBe("has_passphrase");
  expect(refused(() => readPrivateKey(shortPem))).toBe("wrong_size");
  expect(refused(() => readPrivateKey(pair.publicKey))).toBe("not_a_key");
  expect(refused(() => readPrivateKey("hello"))).toBe("not_a_key");
  expect(refused(() => readPublicKey(""))).toBe("no_key");
  expect(refused(() => readPublicKey("hello"))).toBe("not_a_key");
  expect(refused(() => readPublicKey(Buffer.from(locked.publicKey).toString("base64")))).toBe(
    "read",
  );
});

test("a fingerprint is the same in both forms of a key", async () => {
  const bare = createPublicKey(pair.publicKey).export({ type: "pkcs1", format: "pem" }).toString();
  const expected = await fingerprint(stored);
  expect(expected).toMatch(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
  expect(await fingerprint(Buffer.from(bare).toString("base64"))).toBe(expected);
});

test("the fingerprint is of the key that is encrypted for, and of one that stands alone", async () => {
  const other = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  }).publicKey;
  const header = other.replace("KEY-----\n", "KEY-----\nProc-Type: 4,X\n\n");
  const attempts = {
    "two keys": other + pair.publicKey,
    "a first one that is skipped": other.replace("MII", "!MII") + pair.publicKey,
    "a first one with a header": header + pair.publicKey,
    "text before": `key\n${pair.publicKey}`,
    "text after": `${pair.publicKey}key\n`,
    "a sign within": other.replace("MII", "!MII"),
  };
  for (const [what, pem] of Object.entries(attempts)) {
    const text = Buffer.from(pem).toString("base64");
    await expect(fingerprint(text), what).rejects.toMatchObject({ code: "not_a_key" });
    expect(() => readPublicKey(text), what).toThrow();
  }
  const spaced = `\n${pair.publicKey}`.replaceAll("\n", "\r\n");
  expect(await fingerprint(Buffer.from(spaced).toString("base64"))).toBe(await fingerprint(stored));
});

test("base64 is told from other bytes", () => {
  expect(isBase64(bytes("QUJD"))).toBe(true);
  expect(isBase64(bytes("QUI="))).toBe(true);
  for (const plain of ["", "QUJ", "Q=JD", "QU.D"]) expect(isBase64(bytes(plain))).toBe(false);
  expect(text(fromBase64("QU\nJD"))).toBe("ABC");
});
