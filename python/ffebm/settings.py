"""Every setting of every configuration: what there is, its default and what it may be."""
import ctypes as c

from . import structs
from .constants import ConfigKind, SettingType, choice
from .functions import raw


class Setting:
    """Facts about one setting. `choices` are names and their constants, None of what is no choice."""

    def __init__(self, info):
        self.key, self.field, self.unit = info.key.decode(), info.field.decode(), info.unit.decode()
        self.text, self.initial = info.text.decode(), info.initial.decode()
        self.lower, self.upper, self.offset = info.lower, info.upper, info.offset
        self.lower_open, self.upper_open = bool(info.lower_open), bool(info.upper_open)
        self.type = SettingType(info.type)
        self.bytes, self.count = info.bytes, info.count
        names = {info.choices[i].decode(): info.values[i] for i in range(info.choice_count)}
        self.choices = names or None

    def __repr__(self):
        return f"{self.key} ({self.initial}): {self.text}"


def settings(kind):
    """All settings of a configuration, as in settings("equilibrium"), in the order of its struct."""
    found, info = [], structs.SettingInfo()
    while raw.setting_inspect(c.byref(info), int(choice(ConfigKind, kind)), len(found)) == 0:
        found.append(Setting(info))
    return found
