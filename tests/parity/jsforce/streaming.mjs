// Streaming by Faye with jsforce's own extensions: new events, all that are retained, those after an id, and a lost session.
import { asAdmin, byJwt, jsforce, tell, told } from "./start.mjs";
import extension from "jsforce/lib/api/streaming/extension.js";

const CHANNEL = "/event/Payment_Outcome__e";
const { AuthFailure, Replay } = extension;

function listening(conn, replayId, channel = CHANNEL) {
  const failures = [];
  const received = [];
  const waiting = [];
  const client = conn.streaming.createClient([new Replay(channel, replayId), new AuthFailure((message) => failures.push(message))]);
  const subscription = client.subscribe(channel, (message) => {
    received.push(message);
    for (const look of waiting) look();
  });
  const arrived = (last = () => true) =>
    new Promise((done) => {
      const look = () => received.length > 0 && last(received.at(-1)) && done(received.slice());
      waiting.push(look);
      look();
    });
  return { client, subscription, arrived, failures };
}

const isLast = ({ payload }) => payload.Provider_Reference__c === "after-1";
const short = (messages) => messages.map(({ payload, event }) => ({ reference: payload.Provider_Reference__c, replayId: event.replayId }));

await tell(async () => {
  const [conn] = await byJwt();
  const admin = await asAdmin();
  const publish = (reference) => admin.sobject("Payment_Outcome__e").create({ ...told.event, Provider_Reference__c: reference });
  const published = [await publish("before-1"), await publish("before-2")];

  const fresh = listening(conn, -1);
  await fresh.subscription;
  await publish("after-1");
  const news = await fresh.arrived(isLast);

  const everything = listening(conn, -2);
  const all = await everything.arrived(isLast);
  const later = listening(conn, all[0].event.replayId);
  const rest = await later.arrived(isLast);

  const refused = listening(conn, 99999999);
  const refusal = await refused.subscription.then(
    () => null,
    (problem) => problem.message,
  );
  const unknown = await listening(conn, -1, "/event/Nonsense__e").subscription.then(
    () => null,
    (problem) => problem.message,
  );

  const changes = listening(conn, -1, "/data/CaseChangeEvent");
  await changes.subscription;
  const made = await admin.sobject("Case").create({ Subject: "Parity" });
  const [change] = await changes.arrived();

  const dead = new jsforce.Connection({ instanceUrl: told.instance_url, accessToken: "00D000000000000!dead", version: told.api_version });
  const locked = await new Promise((done) => {
    const client = dead.streaming.createClient([new AuthFailure(done)]);
    client.subscribe(CHANNEL, () => done(null));
  });
  return { published, fresh: short(news), first: news[0], all: short(all), rest: short(rest), refusal, unknown, change, made: made.id, locked };
});
