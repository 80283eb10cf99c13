// plotly.js is large: it is fetched once, after the headline stands.

let library = null;

/** The library, from our own server. */
export function plotly() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = document.getElementById("figures").dataset.plotly;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error(script.src));
    document.head.append(script);
  });
  return library;
}
