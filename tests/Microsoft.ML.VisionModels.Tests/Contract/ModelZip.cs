using System.IO.Compression;
using System.Security.Cryptography;

namespace Microsoft.ML.VisionModels.Tests.Contract;

internal static class ModelZip
{
    /// <summary>The files in a saved model, each with its contents' hash.</summary>
    public static IReadOnlyList<string> Entries(string path)
    {
        using var zip = ZipFile.OpenRead(path);
        return [.. zip.Entries.OrderBy(entry => entry.FullName, StringComparer.Ordinal).Select(entry =>
        {
            using var stream = entry.Open();
            return $"{entry.FullName} {Convert.ToHexString(SHA256.HashData(stream))}";
        })];
    }

    /// <summary>The files in a model, saved for the purpose.</summary>
    public static IReadOnlyList<string> Entries(ITransformer model)
    {
        using var folder = TestFolders.Temporary();
        new MLContext().Model.Save(model, null, folder.File("model.zip"));
        return Entries(folder.File("model.zip"));
    }
}
