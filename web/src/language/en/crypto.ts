export const crypto = {
  "key.title": "Private key",
  "key.text":
    "In an encrypted collaboration each result is readable for one organization only. With its private key this page reads the results; the key is sent to no server.",
  "key.open": "Load or forget the private key",
  "crypto.title": "Private key of your organization",
  "crypto.why":
    "Results are encrypted for your organization. The key is read from its file and stays in the memory of this tab. It is forgotten when you sign out, and after 30 minutes without use.",
  "crypto.choose": "File with the private key",
  "crypto.loaded": "The private key is loaded.",
  "crypto.fingerprint": "Fingerprint",
  "crypto.forget": "Forget the key",
  "crypto.mismatch":
    "This is not the key of your organization: the server knows another one. Choose the file that the node of your organization uses.",
  "crypto.insecure":
    "Browsers encrypt and decrypt over HTTPS only. Open this page with an address that begins with https://.",
  "crypto.no_key_loaded": "The private key of your organization is not loaded. Choose its file.",
  "crypto.not_encrypted":
    "This was not encrypted on its way although the collaboration is encrypted. The server itself could have written it, so it is not shown.",
  "crypto.not_a_message": "This is not an encrypted message.",
  "crypto.another_key": "The message is damaged or encrypted for another key.",
  "crypto.damaged": "The message is damaged or incomplete.",
  "crypto.no_key": "The organization has no public key.",
  "crypto.not_a_key":
    "This is not an RSA key in PEM. Choose the file that the node uses, or that the client wrote.",
  "crypto.has_passphrase": "The key has a passphrase. Keys of this system have none.",
  "crypto.wrong_size": "The key is shorter than 2,048 bits or longer than 16,384 bits.",
  "crypto.plain_with_key":
    "The server says that this collaboration is not encrypted, but a private key is loaded. Nothing was sent.",
  "crypto.plain_now":
    "The server says that this collaboration is not encrypted, but it was encrypted before. Nothing was sent.",
  "crypto.failed": "The browser could not encrypt or decrypt this. Load the key again.",
} as const;
