// Bulk API 2.0 by jsforce: rows in by insert, upsert, update and delete, partial failure, and rows out.
import { asAdmin, refusal, tell } from "./start.mjs";

const KEY = "Dunwell_Key__c";

await tell(async () => {
  const conn = await asAdmin();
  const bulk = conn.bulk2;
  bulk.pollInterval = 50;
  bulk.pollTimeout = 60000;
  const load = (operation, input, more = {}) => bulk.loadAndWaitForResults({ object: "Task", operation, input, ...more });
  const rowsOf = async (soql, options) => (await bulk.query(soql, options)).toArray();

  const inserted = await load("insert", [
    { Subject: 'Said "yes", twice\nand left', [KEY]: "bulk-1", Status: "Not Started", ActivityDate: "2026-03-02" },
    { Subject: "Plain", [KEY]: "bulk-2", Status: "Not Started", ActivityDate: "" },
    { Subject: "Late", [KEY]: "bulk-3", Status: "Not Started", ActivityDate: "soon" },
  ]);
  const upserted = await load(
    "upsert",
    `${KEY},Subject\r\nbulk-1,Changed\r\nbulk-4,New\r\n`,
    { externalIdFieldName: KEY, lineEnding: "CRLF" },
  );
  const [first] = inserted.successfulResults;
  const updated = await load("update", [{ Id: first.sf__Id, Description: "Updated", Subject: "#N/A" }]);
  const out = await rowsOf(`SELECT Id, Subject, Description, ${KEY} FROM Task WHERE ${KEY} LIKE 'bulk-%' ORDER BY ${KEY}`);
  const removed = await load("delete", [{ Id: first.sf__Id }]);
  const left = await rowsOf(`SELECT Id FROM Task WHERE ${KEY} LIKE 'bulk-%'`);
  const all = await rowsOf(`SELECT Id FROM Task WHERE ${KEY} LIKE 'bulk-%'`, { scanAll: true });

  const job = bulk.createJob({ object: "Contact", operation: "insert" });
  const opened = await job.open();
  await job.uploadData("LastName\nStep by step\n");
  await job.close();
  await job.poll(50, 60000);
  const results = await job.getAllResults();
  const aborted = bulk.createJob({ object: "Contact", operation: "insert" });
  await aborted.open();
  await aborted.abort();
  return {
    inserted, upserted, updated, out, removed, left: left.length, all: all.length, opened, results, abort: await aborted.check(),
    done: await job.check(),
    bad_query: await refusal(() => rowsOf("SELECT Nonsense__c FROM Task")),
    aggregate: await refusal(() => rowsOf("SELECT COUNT(Id) FROM Task")),
    bad_object: await refusal(() => bulk.createJob({ object: "Nonsense__c", operation: "insert" }).open()),
    no_key: await refusal(() => bulk.createJob({ object: "Task", operation: "upsert" }).open()),
  };
});
