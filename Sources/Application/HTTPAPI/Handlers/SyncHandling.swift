import Core
import HTTPServer
import Telemetry

extension API {
  /// `POST /v1/ingestion/sync`: has the watched sources listed now. The body is not looked at. Sources of collections
  /// that the key may not read are left alone.
  func sync(_ context: RequestContext) throws(HTTPAPIError) -> HTTPResponse {
    guard let syncNow = parts.syncNow else {
      throw HTTPAPIError(
        code: "ingestion.not_watching", category: .conflict, message: "this service does not watch any source",
        remedy: "Start it with `quarry serve --watch`, or run `quarry watch --once`.")
    }
    let caller = context.caller
    let count = syncNow { caller.mayRead($0) }
    parts.log.log(.info, "listing of sources asked for", context: context, [("sources", .int(count))])
    return .json(SyncBody(sources: count), status: 202)
  }
}
