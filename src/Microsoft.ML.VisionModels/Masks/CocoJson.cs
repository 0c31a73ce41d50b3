using System.Text.Encodings.Web;
using System.Text.Json;

namespace Microsoft.ML.VisionModels.Masks;

/// <summary>How COCO's files are written.</summary>
internal static class CocoJson
{
    /// <summary>On one line, and with what HTML would need escaped as it is: compressed masks are full of it.</summary>
    public static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
