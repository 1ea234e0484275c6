// What one would write instead: all pages of what changed in Hot Profile, to kintone with its own client, a hundred at a
// time, without a state, a quota or a proof that the pages are whole. Measured against Renkei, not used.
// node plain_kintone.mjs FOLDER_OF_NODE_MODULES HOTPROFILE KINTONE

import { createRequire } from "node:module";

const [home, hotprofile, kintone] = process.argv.slice(2);
const { KintoneRestAPIClient } = createRequire(`${home}/package.json`)("@kintone/rest-api-client");
// Without TLS it speaks to localhost alone.
const client = new KintoneRestAPIClient({ baseUrl: kintone.replace("127.0.0.1", "localhost"), auth: { apiToken: ["kin_sim_companies"] } });
const began = performance.now();
let records = 0;
let requests = 0;

for (let number = 1; ; number += 1) {
  const answer = await fetch(`${hotprofile}/rest_api/v1/clients/get_entry_list`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ api_key: "hp_sim_key", search: {}, page: { number, display_number: 1000 } }),
  });
  const { clients, pages } = await answer.json();
  for (let start = 0; start < clients.length; start += 100) {
    const batch = clients.slice(start, start + 100).map((one) => ({
      updateKey: { field: "会社ID", value: String(one.id) },
      record: {
        会社名: { value: one.name },
        法人番号: { value: one.corporate_number },
        電話番号: { value: one.main_tel },
        備考: { value: one.note },
      },
    }));
    await client.record.updateRecords({ app: 1, upsert: true, records: batch });
    records += batch.length;
    requests += 1;
  }
  if (number * 1000 >= pages.total_count) break;
}
console.log(JSON.stringify({ seconds: (performance.now() - began) / 1000, records, requests }));
