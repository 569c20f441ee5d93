// Prints the closing line of a test run from Vitest's JSON report; exits non-zero when the run was not a success.
import { existsSync, readFileSync } from 'node:fs';

interface Report {
  success: boolean;
  testResults: { status: string; assertionResults: { status: string }[] }[];
}

const file = process.argv[2] ?? 'test-results.json';
let [passed, failed, skipped] = [0, 0, 0];
if (existsSync(file)) {
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  for (const { status, assertionResults } of report.testResults) {
    const failedHere = assertionResults.filter((test) => test.status === 'failed').length;
    const passedHere = assertionResults.filter((test) => test.status === 'passed').length;
    // A file that fails to import has no assertion at all: count it as one.
    failed += status === 'failed' ? Math.max(failedHere, 1) : failedHere;
    passed += passedHere;
    skipped += assertionResults.length - failedHere - passedHere;
  }
  // An unhandled error outside a test fails the run and no test.
  if (!report.success && failed === 0) failed = 1;
} else {
  failed = 1;
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
