// What kintone's own client makes of the domain at the given address, step by step, as JSON on standard output.

import { createRequire } from "node:module";

const [home, baseUrl] = process.argv.slice(2);
const { KintoneRestAPIClient, KintoneRestAPIError } = createRequire(`${home}/package.json`)("@kintone/rest-api-client");

const client = new KintoneRestAPIClient({ baseUrl, auth: { apiToken: ["companies", "contacts"] } });
const company = (number, more = {}) => ({
  会社ID: { value: `C${number}` },
  会社名: { value: `会社${number}` },
  従業員: { value: `${number}` },
  ...more,
});
const numbers = [...Array(150).keys()].map((index) => index + 1);
const found = {};

// The client's own error, as a program that uses it would see it.
const refusal = async (call) => {
  try {
    await call();
    return "no error";
  } catch (thrown) {
    const error = thrown.error ?? thrown; // of the …AllRecords methods
    if (!(error instanceof KintoneRestAPIError)) return { thrown: error.message };
    const { status, code, errors, bulkRequestIndex } = error;
    return { status, code, errors: errors ?? null, bulkRequestIndex: bulkRequestIndex ?? null };
  }
};
const ids = (records) => records.map((record) => Number(record.$id.value)).sort((a, b) => a - b);

const added = await client.record.addAllRecords({ app: 1, records: numbers.map((number) => company(number)) });
found.added = added.records.map(({ id, revision }) => [Number(id), revision]);
found.withId = ids(await client.record.getAllRecordsWithId({ app: 1 }));
found.withCursor = ids(await client.record.getAllRecordsWithCursor({ app: 1 }));
found.withOffset = ids(await client.record.getAllRecordsWithOffset({ app: 1 }));

// Longer than an address may be: sent as POST with X-HTTP-Method-Override.
const everybody = numbers.map((number) => `"C${number}に長い名前を付けた会社"`).join(", ");
const none = await client.record.getRecords({ app: 1, query: `会社ID in (${everybody})`, totalCount: true });
found.longQuery = none.totalCount;
const some = await client.record.getRecords({
  app: 1,
  fields: ["会社名", "$id"],
  query: '会社ID in ("C3", "C9") or 従業員 >= 149 order by 従業員 asc limit 3',
});
found.query = some.records.map((record) => record.会社名.value);
found.keys = Object.keys(some.records[0]).sort();

const upserted = await client.record.updateRecords({
  app: 1,
  upsert: true,
  records: [
    { updateKey: { field: "会社ID", value: "C1" }, record: { 会社名: { value: "改" } } },
    { updateKey: { field: "会社ID", value: "C999" }, record: { 会社名: { value: "新" } } },
  ],
});
found.upserted = upserted.records.map(({ operation, revision }) => [operation, revision]);
found.upsertRecord = [
  (await client.record.upsertRecord({ app: 1, updateKey: { field: "会社ID", value: "C2" }, record: { 会社名: { value: "二" } } })).revision,
  (await client.record.upsertRecord({ app: 1, updateKey: { field: "会社ID", value: "C998" }, record: { 会社名: { value: "三" } } })).revision,
];
const changes = numbers.map((number) => ({
  updateKey: { field: "会社ID", value: `C${number}` },
  record: { 従業員: { value: number + 1 } },
}));
found.updatedAll = (await client.record.updateAllRecords({ app: 1, records: changes })).records.length;

const contact = { 番号: { value: 1 }, 会社: { value: "C1" }, 社名: { value: "無視される" } };
await client.record.addRecord({ app: 2, record: contact });
found.copied = (await client.record.getRecord({ app: 2, id: 1 })).record.社名.value;
const alone = new KintoneRestAPIClient({ baseUrl, auth: { apiToken: "contacts" } });
const nobody = new KintoneRestAPIClient({ baseUrl, auth: { apiToken: "nobody's" } });
const person = new KintoneRestAPIClient({ baseUrl, auth: { username: "tanaka", password: "hirake" } });
const guest = new KintoneRestAPIClient({ baseUrl, auth: { apiToken: "guest" }, guestSpaceId: 5 });

found.refused = {
  lookupWithoutToken: await refusal(() => alone.record.addRecord({ app: 2, record: { ...contact, 番号: { value: 2 } } })),
  foreignToken: await refusal(() => nobody.record.getRecords({ app: 1 })),
  invalid: await refusal(() => client.record.addRecords({ app: 1, records: [company(700), company(1), { 従業員: { value: "x" } }] })),
  revision: await refusal(() => client.record.updateRecord({ app: 1, id: 5, revision: 1, record: {} })),
  inBulk: await refusal(() =>
    client.bulkRequest({
      requests: [
        { method: "POST", api: "/k/v1/record.json", payload: { app: 1, record: company(800) } },
        { method: "PUT", api: "/k/v1/record.json", payload: { app: 1, id: 99999, record: {} } },
      ],
    }),
  ),
  guestPath: await refusal(() => person.record.getRecords({ app: 3 })),
};
found.inGuestSpace = (await guest.record.addRecord({ app: 3, record: company(1) })).id;
found.asPerson = (await person.record.addRecord({ app: 1, record: company(900) })).revision;

const form = await client.app.getFormFields({ app: 2 });
found.form = Object.fromEntries(
  Object.entries(form.properties).map(([code, { type, unique, lookup }]) => [code, [type, unique ?? null, lookup?.relatedApp.app ?? null]]),
);
found.layout = (await client.app.getFormLayout({ app: 1 })).layout.map((row) => row.type);
found.app = (await client.app.getApp({ id: 1 })).name;
found.apps = (await person.app.getApps({})).apps.map((app) => app.appId);

await client.record.deleteAllRecords({ app: 1, records: numbers.slice(0, 120).map((number) => ({ id: number })) });
found.left = (await client.record.getAllRecordsWithId({ app: 1 })).length;
process.stdout.write(JSON.stringify(found));
