/** The frame's end of the line to the page that shows it. */

/**
 * Wait for the page's port and serve its calls.
 *
 * Only the parent window is listened to, and only once: whoever holds the port from
 * then on is the document that embeds this frame.
 *
 * @param {Record<string, (params: any) => any>} calls
 * @returns {(event: string, detail?: unknown) => void} how to tell the page what happens
 */
export function connect(calls) {
  /** @type {MessagePort | undefined} */
  let port;

  /** @param {MessageEvent} message */
  const accept = (message) => {
    if (message.source !== window.parent || window.parent === window) return;
    if (message.data?.endive !== "connect" || !message.ports[0]) return;
    window.removeEventListener("message", accept);
    port = message.ports[0];
    port.onmessage = async ({ data: { id, call, params } }) => {
      const result = Object.hasOwn(calls, call) ? await calls[call](params) : undefined;
      port?.postMessage({ id, result });
    };
    port.postMessage({ event: "connected" });
  };

  window.addEventListener("message", accept);
  return (event, detail) => port?.postMessage({ event, detail });
}
