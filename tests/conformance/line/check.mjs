// Lines of JSON {body (base64), secret, signature} on standard input; true or false for each.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { validateSignature } = createRequire(`${process.argv[2]}/`)("@line/bot-sdk");

for await (const line of createInterface({ input: process.stdin })) {
  const { body, secret, signature } = JSON.parse(line);
  console.log(validateSignature(Buffer.from(body, "base64"), secret, signature));
}
