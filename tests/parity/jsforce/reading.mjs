// Logging in by every grant and reading: identity, queries with and without paging, describes, limits.
import { asAdmin, byJwt, jsforce, loggedIn, refusal, tell, told } from "./start.mjs";

const SOQL = "SELECT Id, Name FROM cpm__Installment__c ORDER BY Name";

await tell(async () => {
  const [byKey, userByKey] = await byJwt();
  const [, userBySecret] = await loggedIn({ grant_type: "client_credentials" });
  const strangers = await refusal(() => byJwt("nobody@sandbox.example"));
  const dead = await refusal(() =>
    new jsforce.Connection({ instanceUrl: told.instance_url, accessToken: "00D000000000000!dead", version: told.api_version }).query(SOQL),
  );
  const conn = await asAdmin();
  let refreshes = 0;
  const reviving = new jsforce.Connection({
    instanceUrl: told.instance_url,
    accessToken: "00D000000000000!dead",
    version: told.api_version,
    refreshFn: (_, done) => {
      refreshes += 1;
      done(null, conn.accessToken);
    },
  });
  const revived = await reviving.query("SELECT Id FROM User LIMIT 1");

  const first = await conn.query(SOQL);
  const all = conn.query(SOQL);
  let fetchedBy = 0;
  all.on("fetch", () => (fetchedBy += 1));
  const { records: rows } = await all.run({ autoFetch: true, maxFetch: 100000 });
  const children = await conn
    .sobject("Contact")
    .find({}, "Id, LastName")
    .include("Cases")
    .select("Id, Subject")
    .end()
    .limit(3)
    .execute();
  return {
    jwt: { ...userByKey, instanceUrl: byKey.instanceUrl },
    identity: await byKey.identity(),
    client_credentials: userBySecret,
    strangers,
    dead,
    revived: { refreshes, rows: revived.records.length },
    versions: await conn.request("/services/data"),
    page: { done: first.done, totalSize: first.totalSize, rows: first.records.length, next: first.nextRecordsUrl },
    next: (await conn.queryMore(first.nextRecordsUrl)).records.length,
    auto_fetch: { total: rows.length, distinct: new Set(rows.map((row) => row.Id)).size, fetchedBy },
    first_row: first.records[0],
    count: await conn.sobject("cpm__Installment__c").count(),
    aggregate: (await conn.query("SELECT cpm__Status__c, COUNT(Id) many FROM cpm__Installment__c GROUP BY cpm__Status__c")).records,
    children: children.length,
    queue: (await conn.query("SELECT Id FROM Group WHERE Type = 'Queue' LIMIT 1")).records.length,
    sobject_describe: summary(await conn.sobject("cpm__Installment__c").describe()),
    describe_cached: (await conn.describe$("Case")).name,
    global: (await conn.describeGlobal()).sobjects.map((one) => one.name),
    limits: await conn.limits(),
    limit_info: conn.limitInfo,
    bad_field: await refusal(() => conn.query("SELECT Id, Nonsense__c FROM Case")),
    bad_type: await refusal(() => conn.query("SELECT Id FROM Nonsense__c")),
    bad_syntax: await refusal(() => conn.query("SELECT Id FORM Case")),
    bad_locator: await refusal(() => conn.queryMore("01g000000000000AAA-2000")),
    no_resource: await refusal(() => conn.request(`/services/data/v${told.api_version}/nonsense`)),
  };
});

function summary(described) {
  const { name, label, keyPrefix, custom, fields, childRelationships, recordTypeInfos, urls } = described;
  const key = fields.find((field) => field.name === "cpm__External_ID__c");
  return { name, label, keyPrefix, custom, fields: fields.length, key, childRelationships: childRelationships.length, recordTypeInfos, urls };
}
