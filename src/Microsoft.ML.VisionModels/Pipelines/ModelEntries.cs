using System.Text.Json;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>What most transformers have in their part of a model file.</summary>
internal static class ModelEntries
{
    private const string Settings = "Settings.json";
    private const string Preprocessing = "Preprocessing.json";

    /// <exception cref="FormatException">The model file is damaged.</exception>
    public static T ReadSettings<T>(this ModelArchiveReader archive) => ModelJson.Read<T>(archive.ReadText(Settings));

    public static void WriteSettings<T>(this ModelArchiveWriter archive, T settings) => archive.WriteText(Settings, ModelJson.Write(settings));

    /// <exception cref="FormatException">The model file is damaged.</exception>
    public static ImageProcessor ReadPreprocessing(this ModelArchiveReader archive) =>
        new(ImagePreprocessing.FromHuggingFace(ModelJson.Read<JsonElement>(archive.ReadText(Preprocessing))));

    public static void WritePreprocessing(this ModelArchiveWriter archive, ImageProcessor processor) =>
        archive.WriteText(Preprocessing, processor.Settings.ToHuggingFace());
}
