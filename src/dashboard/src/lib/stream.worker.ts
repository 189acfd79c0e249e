// One event stream per browser, however many tabs: browsers allow six connections per host.
import { type Message, Stream } from "./stream";

const scope = self as unknown as SharedWorkerGlobalScope;
const tabs = new Set<MessagePort>();

const stream = new Stream(
  (url) => new EventSource(url),
  (message: Message) => {
    for (const tab of tabs) tab.postMessage(message);
  },
);

scope.onconnect = (event) => {
  const tab = event.ports[0]!;
  tab.onmessage = ({ data }) => {
    if (data === "leave") tabs.delete(tab);
    if (tabs.size === 0) stream.stop();
  };
  tabs.add(tab);
  tab.postMessage({ state: stream.state } satisfies Message);
  stream.start();
};
