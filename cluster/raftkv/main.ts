/**
 * One member of raftkv, a program of its own: `main.ts --help` says how. Its log goes to stderr, in
 * lines of JSON. Ends on SIGTERM and SIGINT, and by itself when it was removed from its cluster
 * (exit code 0), when its disk fails (1), and for flags that cannot be used (2). With `restore` as
 * its first argument it makes the data folder of a member out of a backup instead.
 *
 * Nothing is imported here but by `import()`: an older Node must get as far as to say so.
 */
const NODE_MAJOR_MIN = 24;

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `raftkv: needs Node ${NODE_MAJOR_MIN} or newer, ` +
      `this is ${process.versions.node} (${process.execPath})\n`,
  );
  process.exitCode = 2;
} else {
  const { enableCompileCache } = await import('node:module');
  enableCompileCache();
  const [command, ...rest] = process.argv.slice(2);
  if (command === 'restore') {
    const { runRestore } = await import('./backup/restore-process.ts');
    await runRestore(rest);
  } else {
    const { runProcess } = await import('./process.ts');
    await runProcess(process.argv.slice(2));
  }
}
