/** Texts before the sign-in. */
export const signIn = {
  "sign_in.title": "Sign in",
  "sign_in.username": "User name",
  "sign_in.password": "Password",
  "sign_in.code": "Code of the authenticator app, or a recovery code",
  "sign_in.submit": "Sign in",
} as const;
