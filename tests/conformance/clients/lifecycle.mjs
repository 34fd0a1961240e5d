// A trail's life with the AWS SDK for JavaScript; prints one line of JSON. The endpoint and credentials come
// from the environment, as for any program.
import { createRequire } from "node:module";

const require = createRequire(process.argv[2]);
const sdk = require("@aws-sdk/client-cloudtrail");
const client = new sdk.CloudTrailClient({ maxAttempts: 1 });
const Name = "audit";
const seen = {};

seen.created = await client.send(
  new sdk.CreateTrailCommand({ Name, S3BucketName: process.argv[3], IsMultiRegionTrail: true, EnableLogFileValidation: true }),
);
await client.send(new sdk.StartLoggingCommand({ Name }));
await client.send(
  new sdk.PutEventSelectorsCommand({
    TrailName: Name,
    AdvancedEventSelectors: [{ Name: "all", FieldSelectors: [{ Field: "eventCategory", Equals: ["Management"] }] }],
  }),
);
seen.selectors = (await client.send(new sdk.GetEventSelectorsCommand({ TrailName: Name }))).AdvancedEventSelectors;
const status = await client.send(new sdk.GetTrailStatusCommand({ Name }));
seen.logging = status.IsLogging;
seen.startedIsDate = status.StartLoggingTime instanceof Date;
seen.listed = (await client.send(new sdk.ListTrailsCommand({}))).Trails;
const now = new Date();
const keys = (await client.send(new sdk.ListPublicKeysCommand({ StartTime: now, EndTime: now }))).PublicKeyList;
seen.keyBytes = keys[0].Value.length;
await client.send(new sdk.DeleteTrailCommand({ Name }));
try {
  await client.send(new sdk.GetTrailCommand({ Name }));
} catch (error) {
  seen.error = { name: error.name, message: error.message, typed: error instanceof sdk.TrailNotFoundException };
}
try {
  await client.send(new sdk.ListChannelsCommand({}));
} catch (error) {
  seen.unbuilt = error.name;
}
delete seen.created.$metadata;
console.log(JSON.stringify(seen));
