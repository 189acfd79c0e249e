import { defineConfig } from "vitest/config";

// One browser after the other: the tests share a daemon, a machine with few cores, and a link that works once.
export default defineConfig({
  test: { include: ["e2e/**/*.e2e.ts"], root: new URL("..", import.meta.url).pathname, fileParallelism: false, isolate: false, pool: "threads", testTimeout: 120_000, hookTimeout: 60_000 },
});
