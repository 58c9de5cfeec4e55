import { open, respondent, surveyor } from "wirestack";

const asker = open(surveyor());
for (const name of ["left", "right"]) {
  const there = open(respondent());
  there.serve((question) => (question.length > 0 ? `${name} is here` : undefined)); // or keeps silent
  await there.listen(`inproc://${name}`);
  await asker.dial(`inproc://${name}`).ready;
}
for await (const answer of asker.survey("who is there?", { surveyTime: 200 })) {
  console.log(new TextDecoder().decode(answer));
}
await asker.close();
