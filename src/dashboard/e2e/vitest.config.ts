import { defineConfig } from "vitest/config";

// One browser after the other: the tests share a daemon and a machine with few cores.
export default defineConfig({
  test: { include: ["e2e/**/*.e2e.ts"], root: new URL("..", import.meta.url).pathname, fileParallelism: false, testTimeout: 120_000, hookTimeout: 60_000 },
});
