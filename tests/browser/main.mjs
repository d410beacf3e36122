// Runs every test, one after another on one house: first those that only look.
import { House, check } from "./house.mjs";
import { looks } from "./looks.mjs";
import { days } from "./days.mjs";

const wanted = process.argv.slice(2);
const tests = Object.entries({ ...looks, ...days });
let passed = 0;
let failed = 0;
const house = await House.open();
for (const [name, test] of tests) {
  if (wanted.length && !wanted.some((part) => name.includes(part))) continue;
  const people = [];
  const open = async (role, how) => {
    const person = await house.person(role, how);
    people.push(person);
    return person;
  };
  try {
    await test(house, open);
    for (const { role, faults } of people) check(faults.length === 0, `${role}: ${faults.join("; ")}`);
    passed += 1;
    console.log(`test browser::${name} ... ok`);
  } catch (error) {
    failed += 1;
    console.log(`test browser::${name} ... FAILED`);
    console.log(error.stack ?? error);
  }
  for (const { context } of people) await context.close();
}
await house.close();
console.log(`\ntest result: ${failed ? "FAILED" : "ok"}. ${passed} passed; ${failed} failed; 0 ignored`);
process.exit(failed ? 1 : 0);
