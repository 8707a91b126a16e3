import Core
import Ingestion
import Service

/// What an ingestion would do and take, as JSON.
struct IngestionPlanBody: Encodable {
  var documents: [String: Int]
  var documentsRead: Int
  var isExtrapolated: Bool
  var pages: Int
  var ocrPages: Int
  var chunks: Int
  var embeddingsReused: Int
  var embeddingsToCompute: Int
  var tokens: Int
  var areTokensCounted: Bool
  var seconds: Seconds
  var cost: Cost
  var skipped: [SkippedObject]
  var failed: [IngestionSummaryBody.Failure]

  /// Times; absent where unknown.
  struct Seconds: Encodable {
    var reading: Double
    var embedding: Double?
    var ocr: Double?
    var total: Double?
  }

  /// Money; absent where the price is unknown.
  struct Cost: Encodable {
    var model: String
    var usdPer1000Tokens: Double?
    var usdPer1000Images: Double?
    var usdEmbedding: Double?
    var usdImages: Double?
    /// Both together.
    var usd: Double?

    enum CodingKeys: String, CodingKey {
      case model, usd
      case usdPer1000Tokens = "usd_per_1000_tokens"
      case usdPer1000Images = "usd_per_1000_images"
      case usdEmbedding = "usd_embedding"
      case usdImages = "usd_images"
    }
  }

  enum CodingKeys: String, CodingKey {
    case documents, pages, chunks, tokens, seconds, cost, skipped, failed
    case documentsRead = "documents_read"
    case isExtrapolated = "extrapolated"
    case ocrPages = "ocr_pages"
    case embeddingsReused = "embeddings_reused"
    case embeddingsToCompute = "embeddings_to_compute"
    case areTokensCounted = "tokens_counted"
  }

  init(_ plan: IngestionPlan, prices: IngestionPrices) {
    documents = [
      "new": plan.new, "changed": plan.changed, "unchanged": plan.unchanged, "renamed": plan.renamed,
      "stale": plan.stale,
    ]
    documentsRead = plan.read
    isExtrapolated = plan.isExtrapolated
    pages = plan.pages
    ocrPages = plan.recognizedPages
    chunks = plan.chunks
    embeddingsReused = plan.reusedEmbeddings
    embeddingsToCompute = plan.embeddings
    tokens = plan.tokens
    areTokensCounted = plan.areTokensCounted
    seconds = Seconds(
      reading: plan.readingSeconds, embedding: plan.embeddings == 0 ? 0 : plan.embeddingSeconds,
      ocr: plan.recognizedPages == 0 ? 0 : plan.recognitionSeconds, total: plan.totalSeconds)
    let (embedding, images) = (prices.embedding(plan), prices.images(plan))
    cost = Cost(
      model: prices.model, usdPer1000Tokens: prices.perThousandTokens, usdPer1000Images: prices.perThousandImages,
      usdEmbedding: embedding, usdImages: images, usd: embedding.flatMap { first in images.map { first + $0 } })
    skipped = plan.skipped
    failed = plan.failed.map(IngestionSummaryBody.Failure.init)
  }
}

/// What an ingestion would do and take, for people.
enum IngestionPlanText {
  static func render(_ plan: IngestionPlan, prices: IngestionPrices) -> String {
    let about = plan.isExtrapolated ? "about " : ""
    let counts = [
      (plan.new, "new"), (plan.changed, "changed"), (plan.unchanged, "unchanged"), (plan.renamed, "renamed"),
      (plan.failed.count, "cannot be read"), (plan.skipped.count, "skipped"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    var lines = ["Documents: " + (counts.isEmpty ? "none found" : counts.joined(separator: ", "))]
    if plan.isExtrapolated {
      lines.append(
        "Sample: \(plan.read) of \(plan.candidates) documents were read; the rest is estimated by their bytes and "
          + "stamps")
    }
    if plan.pages > 0 {
      lines.append(
        "Pages: \(about)\(plan.pages)"
          + (plan.recognizedPages > 0
            ? " (of these \(about)\(plan.recognizedPages) to be read from their image; their text is not counted below)"
            : ""))
      lines.append("Chunks: \(about)\(plan.chunks) (\(plan.embeddings) to embed, \(plan.reusedEmbeddings) reused)")
      let isEstimate = plan.isExtrapolated || !plan.areTokensCounted
      lines.append("Tokens to embed: \(isEstimate ? "about " : "")\(plan.tokens)")
    }
    lines.append(time(plan))
    lines.append(cost(plan, prices: prices))
    if plan.recognizedPages > 0, prices.perThousandImages != 0 { lines.append(imageCost(plan, prices: prices)) }
    if plan.stale > 0 {
      lines.append("Stale: \(plan.stale) made by another pipeline; renew them with: quarry ingest --rebuild")
    }
    for skipped in plan.skipped { lines.append("skipped \(skipped.name): \(skipped.reason)") }
    for failed in plan.failed {
      lines.append(
        "cannot read \(AnswerText.singleLine(failed.message)) (\(failed.code))"
          + (failed.remedy.map { ". \($0)" } ?? ""))
    }
    lines.append("Nothing was written.")
    return lines.joined(separator: "\n") + "\n"
  }

  private static func time(_ plan: IngestionPlan) -> String {
    var parts = ["reading \(seconds(plan.readingSeconds)), as long as it took now"]
    if plan.embeddings > 0 {
      parts.append(
        plan.embeddingSeconds.map {
          "embedding \(seconds($0)), from \(plan.embeddingSampleTokens) tokens embedded now"
        } ?? "embedding unknown, since trying this model would cost money")
    }
    if plan.recognizedPages > 0 {
      parts.append(
        plan.recognitionSeconds.map {
          "images \(seconds($0)), from \(plan.recognitionSamplePages) page(s) read now"
        } ?? "images unknown, since trying would cost money")
    }
    return "Time: \(plan.totalSeconds.map { "about \(seconds($0))" } ?? "unknown") (\(parts.joined(separator: "; ")))"
  }

  private static func cost(_ plan: IngestionPlan, prices: IngestionPrices) -> String {
    let model = prices.model
    guard let price = prices.perThousandTokens, let usd = prices.embedding(plan) else {
      return "Cost: unknown; prices has no '\(model)' (USD for 1,000 tokens, see docs/configuration.md)"
    }
    guard price > 0 else { return "Cost: 0 USD (\(model) costs nothing)" }
    return "Cost: about \(AnswerText.decimal(usd, 4)) USD (\(model), \(price) USD for 1,000 tokens)"
  }

  private static func imageCost(_ plan: IngestionPlan, prices: IngestionPrices) -> String {
    guard let price = prices.perThousandImages, let usd = prices.images(plan) else {
      return "Cost of images: unknown; set ocr.pricePerThousandPages (USD)"
    }
    return "Cost of images: about \(AnswerText.decimal(usd, 4)) USD (\(price) USD for 1,000 pages)"
  }

  private static func seconds(_ value: Double) -> String {
    if value < 60 { return "\(AnswerText.decimal(value, 1)) s" }
    if value < 7200 { return "\(Int((value / 60).rounded(.up))) min" }
    return "\(AnswerText.decimal(value / 3600, 1)) h"
  }
}
