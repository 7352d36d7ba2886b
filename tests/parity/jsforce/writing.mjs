// Writing by every way there is: single records, collections, upsert, composite, batch and graph, and what is refused.
import { asAdmin, refusal, tell, told } from "./start.mjs";

const KEY = "Dunwell_Key__c";
const root = `/services/data/v${told.api_version}`;

await tell(async () => {
  const conn = await asAdmin();
  const posted = (path, body, method = "POST") =>
    conn.request({ method, url: `${root}${path}`, body: JSON.stringify(body), headers: { "content-type": "application/json" } });

  const contact = conn.sobject("Contact");
  const made = await contact.create({ LastName: "Parity", FirstName: "One" });
  const changed = await contact.update({ Id: made.id, FirstName: "Two" });
  const read = await contact.retrieve(made.id, { fields: ["Id", "Name", "FirstName"] });
  const gone = await contact.destroy(made.id);
  const after = await refusal(() => contact.retrieve(made.id));
  const undeletedRows = await conn.query(`SELECT Id, IsDeleted FROM Contact WHERE Id = '${made.id}'`, { scanAll: true });

  const many = await contact.create([{ LastName: "A" }, { LastName: "B" }, { FirstName: "nobody" }]);
  const two = many.filter((one) => one.success).map((one) => one.id);
  const all = await refusal(() => conn.create("Contact", [{ LastName: "C" }, { FirstName: "nobody" }], { allOrNone: true }));
  const updated = await contact.update([{ Id: two[0], Title: "X" }, { Id: "003000000000000AAA", Title: "X" }]);
  const retrieved = await conn.retrieve("Contact", two);
  const large = await contact.create(Array.from({ length: 250 }, (_, n) => ({ LastName: `Many ${n}` })), { allowRecursive: true });
  const deleted = await contact.destroy([...two, ...large.map((one) => one.id)], { allowRecursive: true });
  const found = await contact.find({ LastName: { $like: "Pari%" } }).execute();

  const keyed = (key, more = {}) => ({ [KEY]: key, Subject: "Parity", ...more });
  const task = conn.sobject("Task");
  const upserts = {
    created: await task.upsert(keyed("parity-1"), KEY),
    updated: await task.upsert(keyed("parity-1", { Subject: "Again" }), KEY),
    several: await task.upsert([keyed("parity-1"), keyed("parity-2"), keyed("parity-3", { Status: "No such status" })], KEY),
    unknown_field: await refusal(() => conn.requestPatch(`${root}/sobjects/Task/Nonsense__c/1`, { Subject: "x" })),
    by_get: await conn.request(`${root}/sobjects/Task/${KEY}/parity-2?fields=Id,Subject`),
  };

  const composite = await posted("/composite", {
    allOrNone: true,
    compositeRequest: [
      { method: "POST", url: `${root}/sobjects/Account`, referenceId: "company", body: { Name: "Parity Ltd" } },
      { method: "POST", url: `${root}/sobjects/Contact`, referenceId: "person", body: { LastName: "Ref", AccountId: "@{company.id}" } },
      { method: "GET", url: `${root}/sobjects/Contact/@{person.id}?fields=LastName,AccountId`, referenceId: "look" },
    ],
  });
  const rolledBack = await posted("/composite", {
    allOrNone: true,
    compositeRequest: [
      { method: "POST", url: `${root}/sobjects/Account`, referenceId: "company", body: { Name: "Parity Gone" } },
      { method: "POST", url: `${root}/sobjects/Contact`, referenceId: "person", body: { FirstName: "No last name", AccountId: "@{company.id}" } },
    ],
  });
  const left = await conn.sobject("Account").count({ Name: "Parity Gone" });
  const batch = await refusal(() =>
    posted("/composite/batch", {
      batchRequests: [
        { method: "GET", url: `v${told.api_version}/limits` },
        { method: "GET", url: `v${told.api_version}/sobjects/Account/001000000000000AAA` },
      ],
    }),
  );
  const graph = await refusal(() =>
    posted("/composite/graph", {
      graphs: [{ graphId: "one", compositeRequest: [{ method: "POST", url: `${root}/sobjects/Account`, referenceId: "a", body: { Name: "Parity Graph" } }] }],
    }),
  );
  const tree = await refusal(() =>
    posted("/composite/tree/Account", {
      records: [{ attributes: { type: "Account", referenceId: "a" }, Name: "Parity Tree", Contacts: { records: [{ attributes: { type: "Contact", referenceId: "c" }, LastName: "Leaf" }] } }],
    }),
  );

  const account = conn.sobject("Account");
  const keyOwner = await task.create(keyed("parity-9"));
  return {
    single: { made, changed, read, gone, after, deleted: undeletedRows.records },
    collections: { many, all, updated, retrieved, large: [large.length, large.every((one) => one.success)], deleted: [deleted.length, deleted.every((one) => one.success)] },
    find: found.length,
    upserts,
    composite,
    rolled_back: rolledBack,
    left,
    batch,
    graph,
    tree,
    errors: {
      required: await refusal(() => account.create({ Phone: "1" })),
      too_long: await refusal(() => account.create({ Name: "x".repeat(256) })),
      unknown_field: await refusal(() => account.create({ Name: "x", Nonsense__c: 1 })),
      picklist: await refusal(() => conn.sobject("Dunwell_Follow_Up__c").create({ Status__c: "Nonsense" })),
      duplicate: await refusal(() => task.create(keyed("parity-9"))),
      duplicate_of: keyOwner.id,
      malformed_id: await refusal(() => contact.create({ LastName: "x", AccountId: keyOwner.id })),
      not_found: await refusal(() => account.retrieve("001000000000000AAA")),
      deleted: await refusal(() => contact.update({ Id: made.id, FirstName: "x" })),
      json: await refusal(() => conn.request({ method: "POST", url: `${root}/sobjects/Account`, body: "{nonsense", headers: { "content-type": "application/json" } })),
      method: await refusal(() => conn.request({ method: "PUT", url: `${root}/sobjects/Account`, body: "{}", headers: { "content-type": "application/json" } })),
    },
  };
});
