// The parts that RSA needs; the package as a whole would be five times as large.
declare module "node-forge/lib/forge" {
  export { default } from "node-forge";
}
declare module "node-forge/lib/rsa";
declare module "node-forge/lib/pem";
