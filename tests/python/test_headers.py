"""The declarations of the binding against the headers, as the C compiler sees them: nothing missing, nothing moved."""
import ctypes as c
import unittest

import headers
from ffebm import constants, functions, settings, structs

KINDS = {"f64": c.c_double, "i32": c.c_int32, "i64": c.c_int64, "u64": c.c_uint64, "text": c.c_char_p}
GENERIC = ('_Generic({}, double: "f64", int32_t: "i32", int64_t: "i64", uint64_t: "u64", const char *: "text", '
           'default: "other")')
PREFIXES = {"Status": "ERR_", "Dtype": "", "InitializationType": "INITIALIZATION_", "OpType": "OP_",
            "CouplingType": "COUPLING_", "OptimizerType": "OPTIMIZER_", "StageKind": "STAGE_",
            "ConfigKind": "CONFIG_", "SettingType": "SETTING_", "LedgerPart": "LEDGER_"}
SCALARS = {"void": None, "int32_t": c.c_int32, "ffebm_status": c.c_int32, "int64_t": c.c_int64, "uint64_t": c.c_uint64,
           "size_t": c.c_size_t, "double": c.c_double}
POINTERS = {"void": c.c_void_p, "double": c.c_void_p, "char": c.c_char_p, "int64_t": c.POINTER(c.c_int64),
            "size_t": c.POINTER(c.c_size_t), "uint64_t": c.POINTER(c.c_uint64)}


def python_name(name):
    """ffebm_equilibrium_config: EquilibriumConfig."""
    return "".join(part.capitalize() for part in name.split("_")[1:])


def python_type(declared):
    """The ctypes type that a C type has to have."""
    base = declared.replace("const ", "").strip()
    if base.endswith("**"):
        return c.POINTER(c.c_char_p if base.startswith("char") else c.c_void_p)
    if not base.endswith("*"):
        return SCALARS[base] if base in SCALARS else getattr(structs, python_name(base))
    base = base[:-1].strip()
    if base in POINTERS or base in headers.OPAQUE:
        return POINTERS.get(base, c.c_void_p)
    return c.POINTER(getattr(structs, python_name(base)))
SIZES = {"FFEBM_ALL", "FFEBM_NONE", "FFEBM_LAYER_NEWEST", "FFEBM_LAYER_NEW"}  # of size_t


class Headers(unittest.TestCase):
    def test_structs(self):
        lines = []
        for name, body in headers.STRUCTS:
            lines.append(f'printf("{name} . %zu 0 struct\\n", sizeof({name}));')
            for field in headers.fields(body):
                at = f"(({name} *)0)->{field}"
                lines.append(f'printf("{name} {field} %zu %zu %s\\n", offsetof({name}, {field}), sizeof({at}), '
                             f'{GENERIC.format(at)});')
        seen = {}
        for name, field, first, second, kind in headers.compiled(lines):
            struct = getattr(structs, python_name(name))
            if field == ".":
                self.assertEqual(c.sizeof(struct), int(first), name)
                seen[struct] = []
                continue
            seen[struct].append(field)
            with self.subTest(struct=name, field=field):
                declared = getattr(struct, field)
                self.assertEqual((declared.offset, declared.size), (int(first), int(second)))
                found = dict(struct._fields_)[field]
                if kind in KINDS:
                    self.assertIs(found, KINDS[kind])
                else:
                    self.assertNotIn(found, KINDS.values())
        for struct, names in seen.items():
            self.assertEqual([name for name, _ in struct._fields_], names)
        self.assertGreater(len(seen), 20)
        declared = {kind for kind in vars(structs).values() if isinstance(kind, type) and "_fields_" in vars(kind)}
        self.assertEqual(declared, set(seen))

    def test_settings(self):
        """The structs are those of the library's table of settings, its choices the constants."""
        kinds = {"ACTIVATION": "Activation", "CONTEXT": "ContextConfig", "INITIALIZATION": "Initialization",
                 "RECIPE": "Recipe"}
        types = {8: {c.c_int64, c.c_uint64, c.c_size_t}, 4: {c.c_int32}}
        for kind in constants.ConfigKind:
            struct = getattr(structs, kinds.get(kind.name, kind.name.capitalize() + "Config"))
            for setting in settings(kind):
                with self.subTest(kind=kind.name, setting=setting.key):
                    field = getattr(struct, setting.field)
                    self.assertEqual((field.offset, field.size), (setting.offset, setting.bytes * setting.count))
                    if setting.type is constants.SettingType.INTEGER:
                        self.assertIn(dict(struct._fields_)[setting.field], types[setting.bytes])
                    known = struct._choices_.get(setting.field)
                    if setting.choices and known is not None:
                        named = {name.upper().replace("-", "_"): value for name, value in setting.choices.items()}
                        for member in known:
                            if (setting.field, member.name) != ("free_order", "REVERSED"):  # of what?
                                self.assertEqual(named[member.name], member.value)

    def test_constants(self):
        printed = headers.compiled(f'printf("{name} %lld\\n", (long long){name});' for name in headers.constants())
        found = {name: int(value) % 2**64 if name in SIZES else int(value)
                 for name, value in printed}
        declared = {f"FFEBM_{name}": getattr(constants, name)
                    for name in ("ALL", "NONE", "LAYER_NEWEST", "LAYER_NEW", "MAX_RANK", "RETRY",
                                 "USER_PARAMETERS_MAX")}
        for name, kind in vars(constants).items():
            if isinstance(kind, type) and issubclass(kind, constants.IntEnum) and kind is not constants.IntEnum:
                prefix = PREFIXES.get(name, name.upper() + "_")
                declared.update({f"FFEBM_{prefix}{member.name}": member.value for member in kind})
        declared["FFEBM_OK"] = declared.pop("FFEBM_ERR_OK")
        self.assertEqual(declared, found)

    def test_functions(self):
        self.assertEqual({name for _, name, _ in headers.FUNCTIONS}, set(headers.MAP))
        self.assertEqual({"ffebm_" + name for name in functions.FUNCTIONS}, set(headers.MAP))
        for result, name, arguments in headers.FUNCTIONS:
            with self.subTest(function=name):
                found = functions.FUNCTIONS[name[len("ffebm_"):]]
                self.assertEqual(found, (python_type(result), [python_type(kind) for kind in headers.types(arguments)]))

    def test_callbacks(self):
        self.assertGreater(len(headers.CALLBACKS), 8)
        for result, name, arguments in headers.CALLBACKS:
            with self.subTest(callback=name):
                found = getattr(structs, python_name(name))
                self.assertEqual(found._restype_, python_type(result))
                self.assertEqual(list(found._argtypes_), [python_type(kind) for kind in headers.types(arguments)])


if __name__ == "__main__":
    unittest.main()
