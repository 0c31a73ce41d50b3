using Microsoft.ML.Runtime;

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

/// <summary>The part of an ML.NET model zip that belongs to one transformer, while it is read.</summary>
internal sealed class ModelArchiveReader(ModelLoadContext context)
{
    /// <exception cref="FormatException">There is no such entry.</exception>
    public string ReadText(string name)
    {
        var text = string.Empty;
        Check(context.TryLoadTextStream(name, reader => text = reader.ReadToEnd()), name);
        return text;
    }

    /// <exception cref="FormatException">There is no such entry.</exception>
    public void ReadBytes(string name, Action<Stream> read) =>
        Check(context.TryLoadBinaryStream(name, reader => read(reader.BaseStream)), name);

    /// <summary>Reads a model within the model.</summary>
    /// <exception cref="FormatException">There is no such model.</exception>
    public TModel ReadModel<TModel>(IHostEnvironment environment, string name) where TModel : class, ITransformer
    {
        context.LoadModel<ITransformer, SignatureLoadModel>(environment, out var model, name);
        return model as TModel ?? throw new FormatException($"The model file is damaged: its '{name}' is no {typeof(TModel).Name}.");
    }

    /// <summary>A whole entry; null where there is none.</summary>
    public byte[]? TryReadBytes(string name)
    {
        using var bytes = new MemoryStream();
        return context.TryLoadBinaryStream(name, reader => reader.BaseStream.CopyTo(bytes)) ? bytes.ToArray() : null;
    }

    private static void Check(bool found, string name)
    {
        if (!found)
            throw new FormatException($"The model file is damaged: it has no entry '{name}'.");
    }
}
