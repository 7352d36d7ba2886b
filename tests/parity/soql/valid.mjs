// Tells for each statement (a JSON string a line) whether soql-parser-js takes it: true or false a line.
import { createInterface } from "node:readline";
import { isQueryValid } from "@jetstreamapp/soql-parser-js";

for await (const line of createInterface({ input: process.stdin })) {
  console.log(isQueryValid(JSON.parse(line)));
}
