// Starts GraphiQL on this server's own endpoint. Nothing else is contacted.
"use strict";
(function () {
  const place = document.getElementById("explorer");
  const parameters = new URLSearchParams(window.location.search);
  const sample = `# Every number that Vigie knows can be asked here. The documentation is behind the book on the left;
# press the arrow (or Ctrl and Enter) to ask.
{
  scorecard(window: { last: "P90D" }) {
    window { from to timeZone }
    metrics {
      name
      value
      unit
      noData
      sampleSize
      status
      level
      target { objective comparison action }
    }
  }
  services(first: 10) {
    totalCount
    nodes { slug name team { name } }
  }
}
`;
  // A token, where the server asks for one, is given as a header below the query; it stays in this browser.
  async function ask(request, options) {
    const answer = await fetch("/graphql", {
      method: "POST",
      headers: Object.assign({ "Content-Type": "application/json", Accept: "application/json" }, (options || {}).headers),
      body: JSON.stringify(request),
    });
    return answer.json();
  }
  const settings = {
    fetcher: ask,
    defaultQuery: sample,
    defaultEditorToolsVisibility: "variables",
    isHeadersEditorEnabled: true,
    shouldPersistHeaders: false,
  };
  if (parameters.has("query")) settings.query = parameters.get("query");
  if (parameters.has("variables")) settings.variables = parameters.get("variables");
  if (parameters.has("operationName")) settings.operationName = parameters.get("operationName");
  ReactDOM.createRoot(place).render(React.createElement(GraphiQL, settings));
})();
