using Microsoft.ML;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Interop;

[assembly: LoadableClass(typeof(ITransformer), typeof(ModelLoader), null, typeof(SignatureLoadModel), "Vision model", ModelLoader.Signature)]

namespace Microsoft.ML.VisionModels.Interop;

/// <summary>
/// What <c>mlContext.Model.Load</c> finds in this assembly: one loader for all of the package's transformers. The archive
/// says which of them it holds.
/// </summary>
internal static class ModelLoader
{
    internal const string Signature = "VisionModelTransform";
    private const string TypeEntry = "Type.txt";

    public static void Save(ModelSaveContext context, BatchTransformer transformer)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.CheckAtModel();
        context.SetVersionInfo(Version());
        var archive = new ModelArchiveWriter(context);
        archive.WriteText(TypeEntry, transformer.GetType().Name);
        transformer.Save(archive);
    }

    // Found by its name, see LoadableClassAttribute.
    private static ITransformer Create(IHostEnvironment environment, ModelLoadContext context)
    {
        context.CheckAtModel(Version());
        var archive = new ModelArchiveReader(context);
        var name = archive.ReadText(TypeEntry).Trim();
        var type = typeof(ModelLoader).Assembly.GetTypes().SingleOrDefault(t => t.Name == name && t.IsSubclassOf(typeof(BatchTransformer)) && !t.IsAbstract)
            ?? throw new FormatException($"The model holds a '{name}', which this version of Microsoft.ML.VisionModels does not know. Update the package.");
        return BatchTransformer.Load(type, environment, archive);
    }

    private static VersionInfo Version() => new(
        modelSignature: "VISIONMD",
        verWrittenCur: 0x00010001,
        verReadableCur: 0x00010001,
        verWeCanReadBack: 0x00010001,
        loaderSignature: Signature,
        loaderAssemblyName: typeof(ModelLoader).Assembly.FullName);
}
