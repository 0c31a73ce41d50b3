namespace Microsoft.ML.VisionModels.Interop;

/// <summary>The part of an ML.NET model zip that belongs to one transformer, while it is written.</summary>
internal sealed class ModelArchiveWriter(ModelSaveContext context)
{
    public void WriteText(string name, string text) => context.SaveTextStream(name, writer => writer.Write(text));

    /// <summary>Writes a model within the model.</summary>
    public void WriteModel(string name, ITransformer model) => context.SaveModel(model, name);

    /// <summary>The stream that <paramref name="write"/> gets need not seek.</summary>
    public void WriteBytes(string name, Action<Stream> write) => context.SaveBinaryStream(name, writer =>
    {
        writer.Flush();
        write(writer.BaseStream);
    });
}
