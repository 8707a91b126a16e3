import CPoppler
import Glibc
import PDFPipe

extension OpenDocument {
  /// Draws a page on white, multiplies the highlights onto it (so that black text stays black), and packs it as PNG.
  func render(_ request: RenderRequest) -> Result<ImageMessage, Refusal> {
    guard request.page < pageCount, let page = poppler_document_get_page(handle, Int32(request.page)) else {
      return .failure(Refusal(.noSuchPage, "page \(request.page + 1) of \(pageCount)", number: UInt64(request.page)))
    }
    defer { g_object_unref(UnsafeMutableRawPointer(page)) }
    var width = 0.0
    var height = 0.0
    poppler_page_get_size(page, &width, &height)
    guard width.isFinite, height.isFinite, width > 0, height > 0 else {
      return .failure(Refusal(.renderFailed, "the page has no size"))
    }
    var scale = Double(min(max(request.dotsPerInch, 10), 600)) / 72
    // Cairo's surfaces are at most 32,767 pixels wide or high.
    let fit = min((Double(limits.maxPixels) / (width * height)).squareRoot(), 32_767 / max(width, height))
    scale = min(scale, fit)
    let columns = Int32(max(1, (width * scale).rounded(.down)))
    let rows = Int32(max(1, (height * scale).rounded(.down)))

    let surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, columns, rows)
    defer { cairo_surface_destroy(surface) }
    let context = cairo_create(surface)
    defer { cairo_destroy(context) }
    guard cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS, cairo_status(context) == CAIRO_STATUS_SUCCESS else {
      return .failure(Refusal(.memoryLimit, "no memory for an image of \(columns) × \(rows) pixels"))
    }
    cairo_set_source_rgb(context, 1, 1, 1)
    cairo_paint(context)
    cairo_scale(context, scale, scale)
    cairo_save(context)
    poppler_page_render(page, context)
    cairo_restore(context)
    cairo_set_operator(context, CAIRO_OPERATOR_MULTIPLY)
    cairo_set_source_rgb(context, 1, 0.92, 0.35)
    for box in request.highlights {
      cairo_rectangle(context, Double(box.x), Double(box.y), Double(box.width), Double(box.height))
      cairo_fill(context)
    }
    let png = PNGBytes()
    let status = cairo_surface_write_to_png_stream(
      surface, appendToPNG, Unmanaged.passUnretained(png).toOpaque())
    guard status == CAIRO_STATUS_SUCCESS else {
      return .failure(Refusal(.renderFailed, String(cString: cairo_status_to_string(status))))
    }
    return .success(
      ImageMessage(width: UInt32(columns), height: UInt32(rows), dotsPerInch: Float(scale * 72), png: png.bytes))
  }
}

/// Where cairo's write function puts the file.
private final class PNGBytes {
  var bytes: [UInt8] = []
}

private func appendToPNG(
  _ closure: UnsafeMutableRawPointer?, _ data: UnsafePointer<UInt8>?, _ length: UInt32
) -> cairo_status_t {
  guard let closure else { return CAIRO_STATUS_WRITE_ERROR }
  Unmanaged<PNGBytes>.fromOpaque(closure).takeUnretainedValue().bytes
    .append(contentsOf: UnsafeBufferPointer(start: data, count: Int(length)))
  return CAIRO_STATUS_SUCCESS
}
