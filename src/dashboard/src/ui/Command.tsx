// A command for the terminal, and a button that copies it.
import { useRef, useState } from "react";

export function Command({ text }: { text: string }) {
  const shown = useRef<HTMLElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      // Pages that came over the network without encryption may not: it is selected, to be copied by hand.
      getSelection()?.selectAllChildren(shown.current!);
    }
  };
  return (
    <div className="command">
      <pre tabIndex={0}><code ref={shown}>{text}</code></pre>
      <button onClick={() => void copy()} aria-label={`copy: ${text}`}>{copied ? "Copied" : "Copy"}</button>
    </div>
  );
}
