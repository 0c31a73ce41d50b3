using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Interop;

/// <summary>What the package needs of ML.NET and ML.NET keeps to itself. A test lists every such member.</summary>
internal static class MLNet
{
    /// <summary>The environment behind <c>mlContext.Transforms</c>.</summary>
    public static IHostEnvironment EnvironmentOf(TransformsCatalog catalog)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return CatalogUtils.GetEnvironment(catalog);
    }

    /// <summary>The environment behind <c>mlContext.MulticlassClassification</c> and its like.</summary>
    public static IHostEnvironment EnvironmentOf(TrainCatalogBase catalog) => CatalogUtils.GetEnvironment(catalog);

    /// <summary>The environment behind <c>mlContext.Data</c>.</summary>
    public static IHostEnvironment EnvironmentOf(DataOperationsCatalog catalog) => CatalogUtils.GetEnvironment(catalog);

    /// <summary>The seed that the MLContext was made with.</summary>
    public static int? SeedOf(IHostEnvironment environment) => (environment as IHostEnvironmentInternal)?.Seed;

    /// <summary>The CUDA device that <c>mlContext.GpuDeviceId</c> asks for, and whether the CPU may stand in for it.</summary>
    public static (int? DeviceId, bool FallbackToCpu) GpuOf(IHostEnvironment environment) =>
        environment is IHostEnvironmentInternal host ? (host.GpuDeviceId, host.FallbackToCpu) : (null, false);

    public static SchemaShape ShapeOf(DataViewSchema schema) => SchemaShape.Create(schema);

    public static bool TryFindColumn(SchemaShape shape, string name, out SchemaShape.Column column) => shape.TryFindColumn(name, out column);

    public static string TypeName(SchemaShape.Column column) => column.GetTypeString();

    /// <summary>The promise of a column.</summary>
    public static SchemaShape.Column ShapeColumn(
        string name, SchemaShape.Column.VectorKind kind, DataViewType itemType, bool isKey = false, params SchemaShape.Column[] annotations) =>
        new(name, kind, itemType, isKey, new SchemaShape(annotations));

    public static void Info(IChannel channel, string message) => channel.Info(MessageSensitivity.None, Escape(message));

    public static void Warning(IChannel channel, string message) => channel.Warning(MessageSensitivity.None, Escape(message));

    /// <summary>Until the result is disposed of, what readers have to say goes to the environment's log as warnings.</summary>
    public static IDisposable LogNotices(IHostEnvironment environment) => Notices.To(NoticesOf(environment));

    /// <summary>The environment's log as one for what readers have to say.</summary>
    public static NoticeLog NoticesOf(IHostEnvironment environment) => new(message =>
    {
        using var channel = environment.Start("Notice");
        Warning(channel, message);
    });

    // Channels format their messages.
    private static string Escape(string message) => message.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal);
}
