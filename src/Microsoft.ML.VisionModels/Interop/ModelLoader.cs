using Microsoft.ML;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Interop;

[assembly: LoadableClass(typeof(ITransformer), typeof(ModelLoader), null, typeof(SignatureLoadModel), "Vision model", ModelLoader.Signature)]

namespace Microsoft.ML.VisionModels.Interop;

/// <summary>What a model file holds within ML.NET's frame.</summary>
internal interface IModelFormat
{
    /// <exception cref="FormatException">The file is damaged, of an unknown kind, or of a newer version.</exception>
    ITransformer Load(IHostEnvironment environment, ModelArchiveReader archive);
}

/// <summary>
/// What <c>mlContext.Model.Load</c> finds in this assembly: one loader for all of the package's transformers. The archive
/// says which of them it holds.
/// </summary>
internal static class ModelLoader
{
    // Both are part of every model file: they stay as they are.
    internal const string Signature = "VisionModelTransform";
    private const string ModelSignature = "VISIONMD";

    public static void Save(ModelSaveContext context, Action<ModelArchiveWriter> write)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.CheckAtModel();
        context.SetVersionInfo(Version());
        write(new ModelArchiveWriter(context));
    }

    // Found by its name, see LoadableClassAttribute.
    private static ITransformer Create(IHostEnvironment environment, ModelLoadContext context)
    {
        context.CheckAtModel(Version());
        using var notices = MLNet.LogNotices(environment);
        return Registry.All<IModelFormat>().Single().Load(environment, new ModelArchiveReader(context));
    }

    private static VersionInfo Version() => new(
        modelSignature: ModelSignature,
        verWrittenCur: 0x00010001,
        verReadableCur: 0x00010001,
        verWeCanReadBack: 0x00010001,
        loaderSignature: Signature,
        loaderAssemblyName: typeof(ModelLoader).Assembly.FullName);
}
