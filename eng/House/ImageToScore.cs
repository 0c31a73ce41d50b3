using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels;
using Mono.Cecil;
using Mono.Cecil.Cil;
using SkiaSharp;

namespace House;

/// <summary>Finds the source files whose code runs between an image's path and its score, by scoring one with a package that notes its methods.</summary>
internal static class ImageToScore
{
    /// <summary>What tells the program that it is the process which scores.</summary>
    public const string Command = "score";

    private const string Package = "Microsoft.ML.VisionModels.dll";

    public static IReadOnlyList<string> FilesOf(string root)
    {
        var work = Directory.CreateTempSubdirectory("house-");
        try
        {
            string At(string name) => Path.Combine(work.FullName, name);
            Train(At("training"), At("model.zip"));
            WriteImages(At("scoring"), count: 1);
            var files = Instrument(work.CreateSubdirectory("program").FullName, FolderGraph.SourcesOf(root).ToHashSet());

            using var process = Process.Start("dotnet", ["exec", Path.Combine(At("program"), "House.dll"), Command, At("model.zip"), At("scoring"), At("seen.txt")]);
            process.WaitForExit();
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"The process that scores ended with {process.ExitCode}.");
            var seen = File.ReadLines(At("seen.txt")).Select(line => int.Parse(line, CultureInfo.InvariantCulture));
            return [.. seen.SelectMany(method => files[method]).Distinct().Order(StringComparer.Ordinal)];
        }
        finally
        {
            work.Delete(recursive: true); // Links go, and what they lead to stays.
        }
    }

    /// <summary>Runs in the process of the instrumented package: only what happens after the model is loaded is noted.</summary>
    public static void Score(string modelPath, string images, string seenPath)
    {
        var mlContext = new MLContext(seed: 1);
        var model = mlContext.Model.Load(modelPath, out _);
        var seen = Recorder.During(() =>
        {
            var rows = model.Transform(mlContext.Data.LoadImageFolder(images));
            var (scoreColumn, labelColumn) = (rows.Schema["Score"], rows.Schema["PredictedLabel"]);
            using var cursor = rows.GetRowCursor([scoreColumn, labelColumn]);
            var (readScore, readLabel) = (cursor.GetGetter<VBuffer<float>>(scoreColumn), cursor.GetGetter<uint>(labelColumn));
            var (score, label) = (default(VBuffer<float>), 0u);
            while (cursor.MoveNext())
            {
                readScore(ref score);
                readLabel(ref label);
            }
        });
        (model as IDisposable)?.Dispose();
        File.WriteAllLines(seenPath, seen.Select(method => method.ToString(CultureInfo.InvariantCulture)));
    }

    private static void Train(string images, string modelPath)
    {
        foreach (var label in (string[])["one", "two"])
            WriteImages(Path.Combine(images, label), count: 6);
        var mlContext = new MLContext(seed: 1);
        var rows = mlContext.Data.LoadImageFolder(images);
        using var model = mlContext.Transforms.ViTClassifier(new ViTClassifierOptions { Epochs = 1, ImageSize = 32 }).Fit(rows);
        mlContext.Model.Save(model, rows.Schema, modelPath);
    }

    private static void WriteImages(string folder, int count)
    {
        Directory.CreateDirectory(folder);
        for (var i = 0; i < count; i++)
        {
            using var bitmap = new SKBitmap(40, 30);
            bitmap.Erase(new SKColor((byte)(40 * i), 128, (byte)(255 - 40 * i)));
            using var file = File.Create(Path.Combine(folder, $"{i}.png"));
            bitmap.Encode(file, SKEncodedImageFormat.Png, quality: 100);
        }
    }

    /// <summary>Makes a copy of this program with a package that notes its methods, and returns each method's files.</summary>
    private static List<string[]> Instrument(string folder, HashSet<string> sources)
    {
        foreach (var entry in new DirectoryInfo(AppContext.BaseDirectory).EnumerateFileSystemInfos())
        {
            var target = Path.Combine(folder, entry.Name);
            if (entry is DirectoryInfo)
                Directory.CreateSymbolicLink(target, entry.FullName);
            else if (entry.Name.StartsWith("House.", StringComparison.Ordinal))
                File.Copy(entry.FullName, target); // Through a link, the program would take its own folder for its home.
            else if (entry.Name != Package)
                File.CreateSymbolicLink(target, entry.FullName); // libtorch is large, and the temporary folder may be on another disk.
        }

        using var module = ModuleDefinition.ReadModule(Path.Combine(AppContext.BaseDirectory, Package), new ReaderParameters { ReadSymbols = true });
        var note = module.ImportReference(typeof(Recorder).GetMethod(nameof(Recorder.Note)));
        var files = new List<string[]>();
        foreach (var method in module.GetTypes().SelectMany(type => type.Methods).Where(method => method.HasBody))
        {
            var (il, first) = (method.Body.GetILProcessor(), method.Body.Instructions[0]);
            il.InsertBefore(first, il.Create(OpCodes.Ldc_I4, files.Count));
            il.InsertBefore(first, il.Create(OpCodes.Call, note));
            files.Add([.. FilesOf(method).Select(InPackage).Where(sources.Contains)]);
        }
        module.Write(Path.Combine(folder, Package));
        return files;
    }

    /// <summary>The files of a method's lines; a constructor may run initializers of several. One without lines is in its type's first file.</summary>
    private static string[] FilesOf(MethodDefinition method)
    {
        var files = LinesOf(method).ToArray();
        for (var type = method.DeclaringType; files.Length == 0 && type is not null; type = type.DeclaringType)
            files = [.. type.Methods.SelectMany(LinesOf).Take(1)];
        return files;
    }

    private static IEnumerable<string> LinesOf(MethodDefinition method) =>
        method.DebugInformation.SequencePoints.Where(point => !point.IsHidden).Select(point => point.Document.Url).Distinct();

    private static string InPackage(string path) => path.Replace('\\', '/').Split("/Microsoft.ML.VisionModels/")[^1];
}
